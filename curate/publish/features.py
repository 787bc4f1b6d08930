"""Arrow types as Hugging Face features: for the YAML of a card, and for the JSON beside saved tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Feature:
    """One column, or one key of a turn."""

    name: str
    dtype: str
    """`string`, `int64`, ...; `json` for values of uneven shape; `list` and `struct` where `inner` says of what."""
    inner: tuple[Feature, ...] = ()

    @property
    def shown(self) -> str:
        """The type in one line for people."""
        if self.dtype == "list":
            return f"list of {self.inner[0].shown}"
        if self.dtype == "struct":
            return "{" + ", ".join(f"{f.name}: {f.shown}" for f in self.inner) + "}"
        return self.dtype


def features_of(schema: pa.Schema) -> list[Feature]:
    """Return the features of a table whose types `encoders.arrow` chose."""
    return [_feature(field.name, field.type) for field in schema]


def has_json(features: list[Feature] | tuple[Feature, ...]) -> bool:
    """Return whether some column is JSON, which `datasets` reads from version 4.7 on."""
    return any(f.dtype == "json" or has_json(f.inner) for f in features)


def _feature(name: str, kind: pa.DataType) -> Feature:
    import pyarrow as pa

    if isinstance(kind, pa.JsonType):
        return Feature(name, "json")
    if pa.types.is_list(kind):
        return Feature(name, "list", (_feature("", kind.value_type),))
    if pa.types.is_struct(kind):
        return Feature(name, "struct", tuple(_feature(f.name, f.type) for f in kind))
    return Feature(name, {"double": "float64", "bool": "bool"}.get(str(kind), str(kind)))


def as_json(features: list[Feature]) -> dict[str, Any]:
    """Return features as `datasets` writes them into JSON."""
    return {f.name: _json(f) for f in features}


def _json(feature: Feature) -> Any:
    if feature.dtype == "list":
        return {"feature": _json(feature.inner[0]), "_type": "List"}
    if feature.dtype == "struct":
        return {f.name: _json(f) for f in feature.inner}
    return {"_type": "Json"} if feature.dtype == "json" else {"dtype": feature.dtype, "_type": "Value"}


def as_yaml(features: list[Feature]) -> list[dict[str, Any]]:
    """Return features as a card's YAML has them (`Features._to_yaml_list` of `datasets`)."""
    return [{"name": f.name, **_yaml(f)} for f in features]


def _yaml(feature: Feature) -> dict[str, Any]:
    if feature.dtype == "list":
        inner = feature.inner[0]
        if inner.dtype == "struct":
            return {"list": as_yaml(list(inner.inner))}
        return {"list": inner.dtype if inner.dtype != "list" else _yaml(inner)}
    if feature.dtype == "struct":
        return {"struct": as_yaml(list(feature.inner))}
    return {"dtype": feature.dtype}
