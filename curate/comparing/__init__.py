"""Two versions or files side by side: row by row and distribution by distribution."""
