"""Croissant 1.0 (mlcommons.org/croissant/1.0): the files of a published folder and the fields in them, as JSON-LD.

Only what is known or stated is in it: no licence, date or maker where nobody named one.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sluice.curate.publish.facts import Facts
from sluice.curate.publish.features import Feature
from sluice.curate.publish.tables import PublishedSplit, Tables
from sluice.curate.publish.words import CardWords

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification gives for version 1.0."""
TYPES = {
    "string": "sc:Text",
    "bool": "sc:Boolean",
    "int64": "sc:Integer",
    "uint64": "sc:Integer",
    "float64": "sc:Float",
}
PARQUET = "application/x-parquet"


def croissant(facts: Facts, words: CardWords, tables: Tables) -> str:
    """Return the JSON-LD of a folder with its tables below `data/`."""
    title = words.title or facts.dataset
    told: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": title,
        "description": words.description or facts.described,
        "license": words.license,
        "url": words.homepage,
        "citeAs": words.citation,
        "datePublished": words.published,
        "dateModified": max((o.time for o in facts.operations), default=None),
        "inLanguage": list(words.language),
        "keywords": list(words.tags),
        "creator": [{"@type": "sc:Person", "name": name} for name in words.creators],
        "publisher": {"@type": "sc:Organization", "name": words.publisher} if words.publisher else None,
        "version": f"{facts.number}.0.0+{tables.splits[0].version[:12]}",
        "distribution": [entry for split in tables.splits for entry in _files(split)],
        "recordSet": [_records(split, tables.features) for split in tables.splits],
    }
    return json.dumps({k: v for k, v in told.items() if v not in (None, [])}, ensure_ascii=False, indent=2) + "\n"


def _files(split: PublishedSplit) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject",
            "@id": file.path,
            "name": file.path.rpartition("/")[2],
            "contentUrl": file.path,
            "contentSize": f"{file.size} B",
            "encodingFormat": PARQUET,
            "sha256": file.sha256,
        }
        for file in split.files
    ]
    if len(files) > 1:
        files.append(
            {
                "@type": "cr:FileSet",
                "@id": f"files-{split.split}",
                "name": f"files-{split.split}",
                "encodingFormat": PARQUET,
                "includes": f"data/{split.split}-*.parquet",
            }
        )
    return files


def _records(split: PublishedSplit, features: list[Feature]) -> dict[str, Any]:
    several = len(split.files) > 1
    place = {"fileSet": {"@id": f"files-{split.split}"}} if several else {"fileObject": {"@id": split.files[0].path}}
    return {
        "@type": "cr:RecordSet",
        "@id": split.split,
        "name": split.split,
        "description": f"{split.rows} rows of {split.dataset}, version {split.version}",
        "field": [_field(f, f"{split.split}/{_id(f.name, i)}", place) for i, f in enumerate(features)],
    }


def _id(name: str, number: int) -> str:
    """Return what a column is called in ids: its number where its name holds what an id must not."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f"column-{number}"


def _field(feature: Feature, identity: str, place: dict[str, Any]) -> dict[str, Any]:
    """Return one column. A list of turns gets a subfield for each key, taken out of each turn."""
    inner, repeated = feature, False
    while inner.dtype == "list":
        inner, repeated = inner.inner[0], True
    told: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": identity,
        "name": feature.name,
        "description": feature.shown,
    }
    source = place | {"extract": {"column": feature.name}}
    if inner.dtype == "struct":
        told |= {"repeated": True, "subField": [_key(key, identity, source) for key in inner.inner]}
        return told
    told |= {"dataType": TYPES.get(inner.dtype, "sc:Text"), "source": source}
    return told | ({"repeated": True} if repeated else {})


def _key(key: Feature, parent: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{parent}/{key.name}",
        "name": key.name,
        "dataType": TYPES.get(key.dtype, "sc:Text"),
        "repeated": True,
        "source": source | {"transform": {"jsonPath": key.name}},
    }
