"""Genome: what a FASTA covers, what it says there, and what is refused."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from Bio import bgzf
from hypothesis import given, settings
from hypothesis import strategies as st

from agdb import genome as genome_module
from agdb.errors import Refused
from agdb.genome import Contig, Genome, chrom_of

Writer = Callable[[Path, str], Path]
BASES = "ACGTTGCAAGGCTTAACCGATN"


def fasta_text(records: dict[str, str], line: int = 7) -> str:
    """FASTA text; each sequence in lines of `line` bases."""
    return "".join(
        f">{name}\n" + "".join(f"{sequence[i : i + line]}\n" for i in range(0, len(sequence), line))
        for name, sequence in records.items()
    )


def write_plain(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def write_gzip(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()))
    return path


def write_bgzip(path: Path, text: str) -> Path:
    with bgzf.BgzfWriter(str(path), "wb") as file:  # type: ignore[no-untyped-call]
        file.write(text.encode())
    return path


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def small(tmp_path: Path, work_dir: Path) -> Genome:
    """chr1 whole, bases 101-122 of chr2, and an unplaced scaffold; soft-masked in part, with codes beyond ACGTN."""
    records = {"1 the first": BASES, "chr2:101-122": BASES[::-1].lower(), "GL000192.1": "ACGTRYKM"}
    return Genome(write_plain(tmp_path / "small.fa", fasta_text(records)), work_dir)


def text_of(windows: npt.NDArray[np.uint8]) -> list[str]:
    return [row.tobytes().decode() for row in windows]


def test_contigs_take_chromosome_and_offset_from_the_record_name(small: Genome) -> None:
    assert small.contigs == [
        Contig("1", "chr1", 0, 22),
        Contig("chr2:101-122", "chr2", 100, 122),
        Contig("GL000192.1", "GL000192.1", 0, 8),
    ]


@pytest.mark.parametrize(
    ("record", "chrom"),
    [
        ("22", "chr22"),
        ("chr22", "chr22"),
        ("X", "chrX"),
        ("MT", "chrM"),
        ("chrMT", "chrM"),
        ("chrM", "chrM"),
        ("GL000192.1", "GL000192.1"),
        ("chrUn_KI270742v1", "chrUn_KI270742v1"),
        ("NC_000001.11", "NC_000001.11"),
    ],
)
def test_chromosome_names_are_those_of_ucsc(record: str, chrom: str) -> None:
    assert chrom_of(record) == chrom


def test_a_window_is_covered_up_to_the_last_base_and_not_beyond(small: Genome) -> None:
    starts = np.array([99, 100, 117, 118, 122])
    assert small.covers("chr2", starts, starts + 5).tolist() == [False, True, True, False, False]
    assert small.covers("chr1", np.array([-1, 0]), np.array([4, 22])).tolist() == [False, True]
    assert small.covers("chr9", np.array([0]), np.array([1])).tolist() == [False]


def test_windows_come_in_the_order_asked_for_and_in_upper_case(small: Genome) -> None:
    assert text_of(small.windows("chr2", np.array([110, 100, 110]), 4)) == [
        BASES[::-1][10:14],
        BASES[::-1][:4],
        BASES[::-1][10:14],
    ]


def test_ambiguous_bases_become_n(small: Genome) -> None:
    assert text_of(small.windows("GL000192.1", np.array([0]), 8)) == ["ACGTNNNN"]


def test_a_window_that_is_not_covered_is_an_error(small: Genome) -> None:
    with pytest.raises(ValueError, match="chr1 is not covered"):
        small.windows("chr1", np.array([0, 20]), 3)
    with pytest.raises(ValueError, match="not covered"):
        small.windows("chr1", np.array([0]), 0)


def test_no_windows_asked_for_gives_none(small: Genome) -> None:
    assert small.windows("chr1", np.array([], dtype=np.int64), 5).shape == (0, 5)
    assert small.alleles_match("chr1", np.array([], dtype=np.int64), []).shape == (0,)


def test_alleles_are_compared_over_their_whole_length(small: Genome) -> None:
    starts = np.array([0, 0, 0, 4, 4, 21])
    refs = ["A", "ACGTTG", "ACGTTC", "TG", "tg", "C"]
    assert small.alleles_match("chr1", starts, refs).tolist() == [True, True, False, True, True, False]


@settings(deadline=None)
@given(
    sequence=st.text("ACGTNacgtn", min_size=1, max_size=300),
    line=st.integers(1, 80),
    packing=st.sampled_from([write_plain, write_gzip, write_bgzip]),
    data=st.data(),
)
def test_windows_are_slices_of_the_sequence(
    tmp_path_factory: pytest.TempPathFactory, sequence: str, line: int, packing: Writer, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("fasta")
    name = "g.fa" if packing is write_plain else "g.fa.gz"
    path = packing(folder / name, fasta_text({"chr3": "AC", "chr4": sequence}, line))
    genome = Genome(path, folder / "work")
    width = data.draw(st.integers(1, len(sequence)))
    starts = data.draw(st.lists(st.integers(0, len(sequence) - width), max_size=8))
    with pytest.MonkeyPatch.context() as patch:  # as if the sequence had many blocks, near and far
        patch.setattr(genome_module, "BLOCK", data.draw(st.integers(1, 100)))
        patch.setattr(genome_module, "GAP", data.draw(st.integers(1, 100)))
        windows = genome.windows("chr4", np.array(starts, dtype=np.int64), width)
    assert text_of(windows) == [sequence[start : start + width].upper() for start in starts]
    genome.close()


def test_windows_of_one_block_are_one_read(small: Genome, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []

    def counted(contig: Contig, start: int, end: int) -> npt.NDArray[np.uint8]:
        reads.append((start, end))
        return np.zeros(end - start, dtype=np.uint8)

    monkeypatch.setattr(small, "_stretch", counted)
    small.windows("chr2", np.array([117, 100, 110]), 4)
    assert reads == [(100, 121)]


@pytest.mark.parametrize("packing", [write_plain, write_gzip, write_bgzip])
def test_nothing_is_written_beside_the_fasta_nor_twice_to_the_work_folder(
    tmp_path: Path, work_dir: Path, packing: Writer
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = packing(folder / ("g.fa" if packing is write_plain else "g.fa.gz"), ">chr1\nACGT\n")
    Genome(path, work_dir).close()
    written = {file: file.stat().st_mtime_ns for file in work_dir.iterdir()}
    assert written
    assert not any(file.name.startswith(".part") for file in written)
    inodes = {file: file.stat().st_ino for file in written}
    assert text_of(Genome(path, work_dir).windows("chr1", np.array([1]), 2)) == ["CG"]
    assert {file: file.stat().st_ino for file in work_dir.iterdir()} == inodes
    assert [file.name for file in folder.iterdir()] == [path.name]


def test_an_index_beside_the_fasta_is_used(tmp_path: Path, work_dir: Path) -> None:
    path = write_plain(tmp_path / "g.fa", ">chr1\nACGT\n")
    (tmp_path / "g.fa.fai").write_text("chr1\t4\t6\t4\t5\n")
    assert text_of(Genome(path, work_dir).windows("chr1", np.array([1]), 2)) == ["CG"]
    assert not work_dir.exists()


@pytest.mark.parametrize("index", ["chr1\t4\t9\t4\t5\n", "chr2\t4\t6\t4\t5\n", "chr1\t40\t6\t4\t5\n", "junk\n", ""])
def test_an_index_of_another_file_is_not_believed(tmp_path: Path, work_dir: Path, index: str) -> None:
    path = write_plain(tmp_path / "g.fa", ">chr1\nACGT\n>chr3\nTT\n")
    (tmp_path / "g.fa.fai").write_text(index)
    genome = Genome(path, work_dir)
    assert [contig.chrom for contig in genome.contigs] == ["chr1", "chr3"]
    assert text_of(genome.windows("chr1", np.array([0]), 4)) == ["ACGT"]


def test_an_index_older_than_the_fasta_is_not_believed(tmp_path: Path, work_dir: Path) -> None:
    path = write_plain(tmp_path / "g.fa", ">chr1\nACGT\nAC\n")  # two bases were added since
    index = tmp_path / "g.fa.fai"
    index.write_text("chr1\t4\t6\t4\t5\n")
    os.utime(index, ns=(0, path.stat().st_mtime_ns - 1))
    assert Genome(path, work_dir).contigs == [Contig("chr1", "chr1", 0, 6)]


def test_a_fasta_that_changed_is_unpacked_again(tmp_path: Path, work_dir: Path) -> None:
    path = write_gzip(tmp_path / "g.fa.gz", ">chr1\nACGT\n")
    Genome(path, work_dir).close()
    other = tmp_path / "another" / "g.fa.gz"
    other.parent.mkdir()
    Genome(write_gzip(other, ">chr1\nACGT\n"), work_dir).close()
    n = len(list(work_dir.iterdir()))
    write_gzip(path, ">chr1\nTTTTT\n")
    genome = Genome(path, work_dir)
    assert text_of(genome.windows("chr1", np.array([0]), 5)) == ["TTTTT"]
    assert genome.is_unpacked
    assert len(list(work_dir.iterdir())) == n  # what was made of it before is gone, what is of another one is there


def test_a_fasta_dated_in_the_future_is_read_without_a_warning(tmp_path: Path, work_dir: Path) -> None:
    path = write_bgzip(tmp_path / "g.fa.gz", ">chr1\nACGT\n")
    os.utime(path, (4e9, 4e9))
    for _ in range(2):
        assert text_of(Genome(path, work_dir).windows("chr1", np.array([0]), 4)) == ["ACGT"]


def refusal(path: Path, work_dir: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        Genome(path, work_dir)
    assert caught.value.where
    assert caught.value.cure
    return caught.value


def test_a_missing_file_is_refused(tmp_path: Path, work_dir: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.fa", work_dir).what


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("g.fa", b"", "empty"),
        ("g.fa", b"variant_id\tslope\n", "does not start with '>'"),
        ("g.fa.gz", gzip.compress(b"variant_id\tslope\n", mtime=0), "does not start with '>'"),
        ("g.fa.gz", b">chr1\nACGT\n", "named as compressed"),
        ("g.fa.gz", gzip.compress(b"9 bytes..", mtime=0)[:6], "cut short"),
        ("g.fa.gz", gzip.compress(b">chr1\n" + b"ACGT\n" * 5000, mtime=0)[:-20], "cut short"),
        ("g.fa", b">chr1\nACGT\n>chr1\nAC\n", "Duplicate key"),
        ("g.fa", b">chr1\nACGT\n>1\nAC\n", "both hold chr1:1"),
        ("g.fa", b">chr1:5-9\nACGT\n", "does not agree with its 4 bases"),
        ("g.fa", b">chr1:0-3\nACGT\n", "does not agree"),
        ("g.fa", b">chr1\nACGT\nAC\nACGT\n", "Line length"),
    ],
)
def test_a_file_that_is_no_whole_fasta_is_refused(
    tmp_path: Path, work_dir: Path, name: str, content: bytes, what: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert what in refusal(path, work_dir).what
    assert not work_dir.exists() or not list(work_dir.glob(".part*"))


def test_a_bgzip_file_cut_short_is_refused(tmp_path: Path, work_dir: Path) -> None:
    path = write_bgzip(tmp_path / "g.fa.gz", fasta_text({"chr1": BASES * 9000}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "cut short" in refusal(path, work_dir).what
    path.write_bytes(whole[:-28])
    assert "cut short" in refusal(path, work_dir).what


def test_a_damaged_bgzip_block_is_refused_when_it_is_read(tmp_path: Path, work_dir: Path) -> None:
    text = fasta_text({"chr1": "".join(np.random.default_rng(0).choice(list("ACGT"), 300_000))})
    path = write_bgzip(tmp_path / "g.fa.gz", text)
    genome = Genome(path, work_dir)
    genome.close()
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    stamp = path.stat().st_mtime_ns
    path.write_bytes(damaged)
    os.utime(path, ns=(stamp, stamp))
    genome = Genome(path, work_dir)
    with pytest.raises(Refused):
        genome.windows("chr1", np.arange(0, 300_000, 10_000), 10_000)


def test_a_work_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "g.fa", ">chr1\nACGT\n")
    (tmp_path / "occupied").write_text("a file, not a folder")
    assert refusal(path, tmp_path / "occupied").where == str(tmp_path / "occupied")
