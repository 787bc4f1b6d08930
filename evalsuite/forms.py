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


SERVED = "sluice.toml [model] serve"


def check_precision(name: str, where: str = SERVED) -> tuple[str | None, str | None]:
    """Return dtype (None: the probe's) and quantisation of a name such as `bf16`, `fp32`, `nf4` or `bf16/nf4`.

    Args:
        where: the option or key that the name stands in.

    Raises InputError for a name that is none.
    """
    word, _, quantisation = name.strip().lower().partition("/")
    if word == "nf4" and not quantisation:
        return None, "nf4"
    if word not in DTYPES or quantisation not in ("", "nf4"):
        raise InputError(f"'{name}' is no precision", where=where, remedy="one of bf16, fp32, fp16, nf4, bf16/nf4")
    return DTYPES[word], quantisation or None


def parse_form(name: str, probe: Probe, where: str = SERVED) -> Form:
    """Return the form of a name on the probe's device. Raises as `check_precision`."""
    dtype, quantisation = check_precision(name, where)
    return Form(dtype or probe.dtype, quantisation, probe.device, probe.threads)


def measured_form(project: Project, probe: Probe) -> Form:
    """Return the form that is measured and served: `[model] serve`, else the probe's."""
    return parse_form(project.config.model.serve or probe.dtype, probe)
