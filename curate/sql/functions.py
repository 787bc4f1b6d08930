"""What may stand in a question: functions, types and kinds of node, by name. All else is refused.

An allow-list, so that what a later DuckDB brings is refused until somebody has looked at it. Left out on purpose:
whatever reads a file, a setting, a variable or the clock, draws at random, or makes a long text or list out of a short
one (`repeat`, `lpad`, `range`, `format`).
"""

from __future__ import annotations

_OF_A_ROW = """
+ - * / // % ** ^ || ~ & | ~~ !~~ ~~* !~~* ~~~ ->> -> @>
lower upper lcase ucase trim ltrim rtrim length len strlen char_length character_length substring substr left right
replace reverse contains starts_with ends_with prefix suffix position instr strpos split_part string_split str_split
split concat concat_ws like_escape ilike_escape not_like_escape not_ilike_escape regexp_matches regexp_full_match
regexp_extract regexp_replace regexp_extract_all unicode ascii ord chr strip_accents nfc_normalize translate
levenshtein editdist3 damerau_levenshtein hamming jaccard jaro_similarity jaro_winkler_similarity md5 sha256 hash
abs round floor ceil ceiling trunc sign sqrt ln log log2 log10 exp pow power mod greatest least isnan isinf isfinite
add subtract multiply divide
list_value row array_length list_contains list_has array_contains array_has list_has_any list_has_all list_position
list_distinct list_sort list_extract element_at list_unique list_sum list_min list_max
date_part datepart year month day hour minute second dayofweek isodow week quarter date_trunc datetrunc date_diff
datediff strptime try_strptime strftime to_days to_hours to_minutes to_seconds to_months to_years to_weeks make_date
epoch
json_extract json_extract_string json_valid json_type json_array_length json_exists json_contains
coalesce nullif ifnull if typeof
"""
_OVER_ROWS = """
count count_star sum avg mean min max median quantile quantile_cont quantile_disc mode stddev stddev_samp stddev_pop
variance var_samp var_pop any_value first last arg_min arg_max bool_and bool_or approx_count_distinct count_if
string_agg entropy skewness kurtosis corr
row_number rank dense_rank percent_rank ntile lag lead first_value last_value cume_dist
"""
_TYPES = """
VARCHAR TEXT STRING CHAR BOOLEAN BOOL TINYINT SMALLINT INTEGER INT INT4 INT8 BIGINT HUGEINT UTINYINT USMALLINT
UINTEGER UBIGINT FLOAT REAL FLOAT4 FLOAT8 DOUBLE DECIMAL NUMERIC DATE TIME TIMESTAMP TIMESTAMPTZ DATETIME INTERVAL
JSON LIST
"""
_NODES = "COLUMN_REF CONSTANT COMPARISON CONJUNCTION OPERATOR FUNCTION CAST CASE BETWEEN TYPE"

FUNCTIONS = frozenset(_OF_A_ROW.split())
"""Functions of one row."""
AGGREGATES = frozenset(_OVER_ROWS.split())
"""Functions over rows: in a SELECT of a check only."""
TYPES = frozenset([*_TYPES.split(), "TIMESTAMP WITH TIME ZONE"])
NODES = frozenset(_NODES.split())
"""Kinds of expression in a `filter`."""
SELECT_NODES = NODES | {"SUBQUERY", "STAR", "WINDOW"}
"""Kinds of expression in a check's SELECT."""
