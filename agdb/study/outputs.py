"""What a study gives to others: files, figures, the report."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agdb.study.questions import Questions

if TYPE_CHECKING:
    from agdb.figures import Drawn
    from agdb.original import Written


class Outputs(Questions):
    """The methods of a study that write files; they read the database alone."""

    def export(
        self, view: str, path: str | Path, format: str | None = None, *, where: str | None = None,
        assembly: str | None = None, scorers: Sequence[str] = (), partition_by: Sequence[str] = (),
    ) -> int:  # fmt: skip
        """Write a view or table to a file, or to a folder of Parquet; returns its rows: `agdb export`.

        Raises:
            UsageError: no such view, format, scorer or column.
            Refused: the file cannot be written.
        """
        from agdb import export

        with self.connection() as con:
            if partition_by:
                return export.to_folder(con, view, Path(path), partition_by, where=where)
            return export.to_file(con, view, Path(path), format, where=where, assembly=assembly, scorers=scorers)

    def plot(
        self, name: str, path: str | Path | None = None, *, labels: str = "all", source: int | None = None,
        scorer: str | None = None, window: int | None = None, stratum: str | None = None, divide: str | None = None,
        gene: str | None = None, assembly: str | None = None,
    ) -> "Drawn":  # fmt: skip
        """Draw a figure, and write it where a path is given: `agdb plot`.

        Args:
            name: scatter, windows, forest, ...: `agdb plot --help` lists them, the help of each what to choose.
            path: A .png, .svg or .pdf file.
            labels: Label set by name.
            source, scorer, window: QTL source by number, scorer by name, window in bp; None: the only one there is.
            stratum: "peak: in peak", "kind: SNV", ...
            divide: Of a forest: stratifications, with commas between.
            gene: Of a locus: by id or name.
            assembly: Of an overlap.

        Returns:
            The figure (matplotlib's), the numbers that it draws (Arrow), and what it shows in a sentence.

        Raises:
            UsageError: no such figure, or nothing, or more than one thing, matches; what there is, is listed.
            Refused: there are no data for it, or the file cannot be written.
        """
        from agdb import figures

        chosen = figures.Choice(
            labels, source_id=source, scorer=scorer, window_bp=window, stratum=stratum, divide=divide, gene=gene,
            assembly=assembly,
        )  # fmt: skip
        with self.connection() as con:
            drawn = figures.draw(con, name, chosen)
            if path is not None:
                figures.write(con, drawn, Path(path))
            return drawn

    def export_original(
        self, folder: str | Path, *, source: int | None = None, label: str | None = None, scorer: str | None = None
    ) -> "Written":
        """Write the files of the study that agdb re-does, of this one: `agdb export --layout original`.

        Raises:
            UsageError: several sources, labels or scorers match (they are listed), or none.
            Refused: the folder holds something, or cannot be written.
        """
        from agdb import original

        with self.connection() as con:
            return original.write(con, Path(folder), source, label, scorer)

    def report(
        self, path: str | Path, *, labels: Sequence[str] = (), sources: Sequence[int] = (),
        scorer: str | None = None, figures: bool = True,
    ) -> None:  # fmt: skip
        """Write what `stats` and `compare_study` have stored as one page, .html or .md: `agdb report`.

        Raises:
            UsageError: another ending.
            Refused: nothing is stored, or the file cannot be written.
        """
        from agdb import report

        path = Path(path)
        asked = report.Asked(tuple(labels) or None, tuple(sources) or None, scorer)
        with self.connection() as con:
            form = path.suffix.lower().removeprefix(".")
            text, _ = report.text(con, self.path, asked, form, with_figures=figures)
        report.write(text, path)
