"""Shapes of associations and peaks that could be a cliff for an overlap, made of 2.4 M x 200 k by SQL."""

#: The statements that make each, by its name.
SHAPES = {
    "3,000 peaks of 10 Mb": (
        "DELETE FROM peak",
        "INSERT INTO peak BY NAME SELECT row_number() OVER () AS peak_id, 2 AS source_id, 'K562' AS biosample, "
        "assembly, chrom, greatest(pos - 5_000_000, 0) AS chrom_start, pos + 5_000_000 AS chrom_end "
        "FROM variant WHERE hash(pos) % 600 = 0",
    ),
    "everything in one peak": (
        "DELETE FROM peak",
        "INSERT INTO peak BY NAME SELECT enum_code(chrom) + 1 AS peak_id, 2 AS source_id, 'K562' AS biosample, "
        "assembly, chrom, 0 AS chrom_start, max(pos) + 100 AS chrom_end FROM variant GROUP BY ALL",
    ),
    "10 M peaks on one base": (
        "DELETE FROM peak",
        "INSERT INTO peak BY NAME SELECT range + 1 AS peak_id, 2 AS source_id, 'K562' AS biosample, assembly, chrom, "
        "pos - 1 AS chrom_start, pos AS chrom_end FROM (FROM variant WHERE length(ref) = 1 LIMIT 1), "
        "range((SELECT count(*) * 6 FROM variant))",
    ),
    "all on one chromosome": tuple(f"UPDATE {table} SET chrom = 'chr1'" for table in ("variant", "qtl", "peak")),
    "a deletion of 10 kb": tuple(
        f"INSERT INTO {table} BY NAME SELECT DISTINCT assembly, 'chr1' AS chrom, 1_000_000 AS pos, "
        f"repeat('A', 10_001) AS ref, 'A' AS alt{more} FROM variant"
        for table, more in (("variant", ""), ("qtl", ", 1 AS source_id, 'ENSG1' AS gene_id"))
    ),
}
