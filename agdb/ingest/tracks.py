"""Tracks of a model: what it predicts, in which biosample. A run learns them from the model, files bring them along.

The table of tracks is tab-separated as `alphagenome_research` publishes it: output_type, name, strand, ontology_curie,
biosample_name, ...; its order means nothing here, a track is told by (output_type, name, strand). A table of the tracks
of one output has no output_type, which has to be said, and need not have gtex_tissue.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from agdb import db
from agdb.errors import Refused, UsageError
from agdb.ingest import rows, source, table
from agdb.ingest.header import require
from agdb.ingest.plan import Column, Plan, Rule
from agdb.predictors.contract import Track

#: SQL of the strand, as the table and as tidy_scores write it.
STRAND = (
    "CASE strand WHEN 'POSITIVE' THEN '+' WHEN 'NEGATIVE' THEN '-' WHEN 'UNSTRANDED' THEN '.' "
    "ELSE coalesce(strand, '.') END"
)  # . is read as missing

#: What scorers find their tracks by: whoever computes may call a biosample otherwise, but not be of another.
FOUND_BY = ("ontology_curie", "gtex_tissue")

#: What a table may leave out.
_OPTIONAL = ("output_type", "gtex_tissue")

_RULES = [
    Rule("track_without_name", "a track has no output_type or no name", "output_type IS NULL OR name IS NULL",
         "concat_ws(' ', output_type, name)"),
    Rule("strand_unknown", "the strand is none of UNSTRANDED, POSITIVE, NEGATIVE",
         "strand NOT IN ('.', '+', '-')", "concat_ws(' ', name, strand)"),
]  # fmt: skip


def track_ids(con: duckdb.DuckDBPyConnection, model: str, tracks: Iterable[Track]) -> list[int]:
    """The numbers of tracks of a model, in order. New ones are added, and what was not known of the others.

    Raises:
        Refused: a track has another term or tissue than it had before.
    """
    tracks = list(tracks)
    known = known_tracks(con, model, tracks)
    for track in dict.fromkeys(tracks):
        number, was = known.get(track[:3], (None, track))
        if number is not None and (filled := _filled(was, track)) != was:
            values = ", ".join(f"{name} = ?" for name in Track._fields)
            con.execute(f"UPDATE track SET {values} WHERE track_id = ?", [*filled, number])
    new = list({t[:3]: t for t in tracks if t[:3] not in known}.values())
    if new:
        numbers = range(first := db.next_id(con, "track"), first + len(new))
        columns = dict(zip(Track._fields, zip(*new, strict=True), strict=True))
        added = pa.table({
            "track_id": pa.array(numbers, pa.int32()), "model": [model] * len(new),
            **{name: pa.array(column, pa.string()) for name, column in columns.items()},
        })  # fmt: skip
        con.register("added", added)
        con.execute("INSERT INTO track BY NAME FROM added")
        con.unregister("added")
        known |= {track[:3]: (number, track) for track, number in zip(new, numbers, strict=True)}
    return [known[t[:3]][0] for t in tracks]


def known_tracks(
    con: duckdb.DuckDBPyConnection,
    model: str,
    tracks: Iterable[Track],
    by: Sequence[str] = FOUND_BY,
    where: str | None = None,
) -> dict[tuple[str | None, ...], tuple[int, Track]]:
    """The tracks of a model that are in the database, with their numbers, by output type, name and strand.

    Args:
        tracks: Those that are to be met there.
        by: What may not differ.
        where: Where they come from.

    Raises:
        Refused: one of them differs.
    """
    columns = ", ".join(("track_id", *Track._fields))
    known = {row[1:4]: (row[0], Track(*row[1:])) for row in
             con.execute(f"SELECT {columns} FROM track WHERE model = ?", [model]).fetchall()}  # fmt: skip
    for track in tracks:
        _, was = known.get(track[:3], (None, track))
        pairs = [(getattr(was, name), getattr(track, name)) for name in by]
        if any(is_now not in (None, before) for before, is_now in pairs if before is not None):
            differing = _differing(_filled(was, track), track)
            raise Refused(
                f"track {track.name} ({track.output_type}) of {model} was {differing} before", where=where,
                cure="tracks of another version of the model: ingest them under another --model" if where else
                "the tracks of another model: give it another database; or a table of tracks was wrong that was "
                "ingested: correct table track, and run the same command again",
            )  # fmt: skip
    return known


def ingest(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    model: str,
    progress: table.Progress = lambda n: None,
    output_type: str | None = None,
) -> source.Loaded:
    """Load a table of tracks. What is known of a track already stays; what was not known of it is filled in.

    Args:
        output_type: Of all its tracks, e.g. DNASE, where the table has no such column.

    Raises:
        UsageError: the output type is said in spite of the table, or is no word.
        Refused: the file is not what it has to be, or contradicts what the database knows; it is as before.
    """
    digest = source.sha256(path)
    with rows.opened(path, "\t") as file:
        require(path, file.names, [n for n in Track._fields if n not in _OPTIONAL], f"a table of tracks of {model}")
        of_all = _output_type(path, file.names, output_type)
        draft = source.Draft("tracks", f"{model} {of_all}" if of_all else model, path, "GRCh38")
        if seen := source.already(con, draft, digest):
            return seen
        there = [name for name in Track._fields if name in file.names]
        lacking = {name: "NULL::VARCHAR" for name in Track._fields if name not in there}
        said = {"output_type": f"'{of_all}'"} if of_all else {}
        plan = Plan(
            columns={name: Column(name, "VARCHAR") for name in there},
            select={**{name: name for name in there}, **lacking, **said, "strand": STRAND},
            rules=_RULES,
        )
        found: list[Track] = []

        def store() -> None:
            columns = ", ".join(Track._fields)
            found.extend(Track(*row) for row in con.execute(f"SELECT {columns} FROM staged ORDER BY rowid").fetchall())

        with source.loading(con, draft, digest) as loaded:
            loaded.take(table.load(con, file, plan, str(loaded.source_id), store, progress), file)
            _once(path, found)
            loaded.notes += _fill_in(con, path, model, found)
    return loaded


def _output_type(path: Path, names: Sequence[str], said: str | None) -> str | None:
    """The output type of all tracks of a table; None where the table says it track by track."""
    if "output_type" in names:
        if said is not None:
            raise UsageError("the table says the output type of each track itself", where=str(path),
                             cure="leave --output-type out")  # fmt: skip
        return None
    if said is None:
        raise Refused("the table of tracks lacks column 'output_type'", where=str(path),
                      cure="say --output-type, e.g. DNASE, if all its tracks are of one")  # fmt: skip
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", said):
        raise UsageError(f"{said!r} is no output type", cure="one word, e.g. DNASE or RNA_SEQ")
    return said.upper()


def _once(path: Path, tracks: list[Track]) -> None:
    seen: dict[tuple[str | None, ...], Track] = {}
    for track in tracks:
        if seen.setdefault(track[:3], track) != track:
            raise Refused(f"track {track.name} ({track.output_type}, {track.strand}) stands there twice, and differs",
                          where=str(path), cure="give the original file")  # fmt: skip


def _fill_in(con: duckdb.DuckDBPyConnection, path: Path, model: str, tracks: list[Track]) -> list[str]:
    """Add tracks, and to those that are there what was not known of them."""
    known = known_tracks(con, model, tracks, Track._fields, str(path))
    track_ids(con, model, tracks)
    return [f"{len({t[:3] for t in tracks} - known.keys()):,} tracks are new, {len(known):,} were known"]


def _filled(track: Track, by: Track) -> Track:
    """The track with what it lacks taken from another."""
    return Track._make(b if a is None else a for a, b in zip(track, by, strict=True))


def _differing(was: Track, now: Track) -> str:
    pairs = zip(Track._fields, was, now, strict=True)
    return ", ".join(f"{name} {a}, not {b}," for name, a, b in pairs if b not in (None, a)).removesuffix(",")
