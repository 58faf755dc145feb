"""The README's study, command by command, on the real files that it names: what it says they print, they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"

#: The real files, under the names that the README uses.
FILES = (
    "gtex/Kidney_Cortex.v8.signif_variant_gene_pairs.txt.gz", "gtex/Whole_Blood.v8.egenes.txt.gz",
    "dhs/ABC_K562_chr22_DNase_macs2_peaks.narrowPeak.gz", "fasta/chr2_1-2333275.fa.gz",
    "fasta/hisat2_hg19_22_20-21M.fa.gz",
    "genes/gencode_v26_gtex_tested_genes.tsv.gz", "caqtl/41588_2015_BFng3331_MOESM26_ESM.csv.gz",
    "caqtl/GSE31388_dsQtlTable.txt.gz", "seed/seed_2.csv", "seed/seed_16.csv", "seed/seed_131.csv",
    "seed/seed10k_2.csv",
)  # fmt: skip


def steps(text: str) -> list[tuple[str, list[str]]]:
    """(commands, lines that the README says they print): an output block belongs to the commands before it."""
    found: list[tuple[str, list[str]]] = []
    for language, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language == "sh":
            found.append((body, []))
        elif language != "text":  # a session with a server
            found[-1][1].extend(body.splitlines())
    return found


def test_every_command_of_the_walk_through_prints_what_the_readme_says(shared: Path, tmp_path: Path) -> None:
    for file in FILES:
        (tmp_path / Path(file).name).symlink_to(shared / file)
    text = README.read_text(encoding="utf-8")
    walk = text[text.index("## A study on real files") : text.index("### A study of your own making")]
    walk += text[text.index("The positive control, dsQTLs") : text.index("## What ingest refuses")]
    walk = walk.replace(". .venv/bin/activate\n", "")
    environment = {k: v for k, v in os.environ.items() if k != "ALPHAGENOME_API_KEY"}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "AGDB_DB": "study.duckdb"}
    # the refused FASTA is shown without its command, which is the one above it with another file
    wrong = "```sh\nagdb ingest genome hisat2_hg19_22_20-21M.fa.gz --assembly GRCh38\n```\n"
    walk = walk.replace("recognised\nand refused:\n\n", f"refused:\n\n{wrong}")
    ran = 0
    for commands, said in steps(walk):
        run = subprocess.run(
            ["bash", "-ec", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        printed = (run.stdout + run.stderr).splitlines()
        missing = [line for line in said if line not in printed]
        assert not missing, f"{commands}\nprinted\n{run.stdout}{run.stderr}"
        assert (run.returncode != 0) == any(line.startswith("error: ") for line in said), run.stderr
        assert "Traceback" not in run.stderr
        ran += commands.count("agdb ")
    assert ran > 15
    for name in ("scatter.png", "windows.png", "correlation.csv"):
        assert (tmp_path / name).stat().st_size > 200
