"""What can be chosen about a supervised fine-tuning run, with defaults and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SftConfig(BaseModel):
    """Settings of one LoRA or QLoRA run; part of its certificate.

    LoRA on all linear layers with ten times the learning rate of full tuning, and small batches: "LoRA Without Regret"
    (Thinking Machines, 2025). Alpha is twice the rank, as is usual.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=16, ge=1)
    """Rank of the two matrices of each layer."""
    alpha: float = Field(default=32.0, gt=0)
    """Their product is scaled by alpha / rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the first matrix; with any, the fast path is not taken."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """Peak of the schedule."""
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    """What follows the warm-up."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of all steps in which the learning rate rises."""
    batch: int = Field(default=16, ge=1)
    """Rows a step."""
    epochs: int = Field(default=1, ge=1)
    """Times that each row is seen."""
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    seed: int = 0
    part_tokens: int = Field(default=4096, ge=1)
    """Most tokens computed at once; a larger batch is computed in parts and gives the same step."""
    gradient_checkpointing: bool = False
    """Compute activations twice to save memory."""
    checkpoint_seconds: float = Field(default=60.0, gt=0)
    """Time between checkpoints."""
    checkpoint_steps: int | None = Field(default=None, ge=1)
    """Steps between checkpoints, in place of the time."""


class FitResult(BaseModel):
    """What a run did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    """Steps done, those before an interruption included."""
    planned_steps: int
    samples: int
    """Rows seen, each as often as it was."""
    tokens: int
    """Tokens of those rows, prompt included, padding not."""
    losses: list[float]
    """Mean loss of each step, nats a completion token."""
    seconds: float
    """Wall time of the steps."""
    samples_per_second: float
    stopped_early: bool
    """Whether the deadline came first."""
    resumed_from: int
    """Step of the checkpoint that this went on from; 0 for none."""
    trained_parameters: int
    shared_prefix: bool
    """Whether a common prompt start was computed once a step."""
    fast_layers: int
    """LoRA layers on the fast path; 0 where they ran as PEFT has them."""
    adapter: Path
    """Folder of the adapter."""
    files: dict[str, str]
    """SHA-256 of the adapter's files by name."""
