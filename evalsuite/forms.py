"""From the names people use for precisions to the form that answers or trains.

The form of serving is `[model] serve`, by default the probe's choice; training may use another one, which is recorded.
"""

from __future__ import annotations

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.evalsuite.asking import Form
from sluice.evalsuite.probe import Probe

DTYPES = {
    "bf16": "bfloat16",
    "bfloat16": "bfloat16",
    "fp32": "float32",
    "float32": "float32",
    "fp16": "float16",
    "float16": "float16",
}


def parse_form(name: str, probe: Probe) -> Form:
    """Return the form of a name such as `bf16`, `fp32`, `nf4` or `bf16/nf4` on the probe's device.

    Raises InputError for a name that is none.
    """
    dtype, _, quantisation = name.strip().lower().partition("/")
    if dtype == "nf4":
        dtype, quantisation = probe.dtype, "nf4"
    if dtype not in DTYPES or quantisation not in ("", "nf4"):
        raise InputError(
            f"'{name}' is no precision", where="sluice.toml [model] serve", remedy="write bf16, fp32, fp16 or nf4"
        )
    return Form(dtype=DTYPES[dtype], quantisation=quantisation or None, device=probe.device, threads=probe.threads)


def measured_form(project: Project, probe: Probe) -> Form:
    """Return the form that is measured and served: `[model] serve`, else the probe's."""
    return parse_form(project.config.model.serve or probe.dtype, probe)
