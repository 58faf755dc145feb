-- Lengths of the primary chromosomes of the two human assemblies (UCSC chrom.sizes of hg38 and hg19): what lets ingest
-- refuse a coordinate that lies beyond its chromosome.
INSERT INTO contig
SELECT assembly, chrom, length FROM (VALUES
  ('chr1', 248956422, 249250621), ('chr2', 242193529, 243199373), ('chr3', 198295559, 198022430),
  ('chr4', 190214555, 191154276), ('chr5', 181538259, 180915260), ('chr6', 170805979, 171115067),
  ('chr7', 159345973, 159138663), ('chr8', 145138636, 146364022), ('chr9', 138394717, 141213431),
  ('chr10', 133797422, 135534747), ('chr11', 135086622, 135006516), ('chr12', 133275309, 133851895),
  ('chr13', 114364328, 115169878), ('chr14', 107043718, 107349540), ('chr15', 101991189, 102531392),
  ('chr16', 90338345, 90354753), ('chr17', 83257441, 81195210), ('chr18', 80373285, 78077248),
  ('chr19', 58617616, 59128983), ('chr20', 64444167, 63025520), ('chr21', 46709983, 48129895),
  ('chr22', 50818468, 51304566), ('chrX', 156040895, 155270560), ('chrY', 57227415, 59373566),
  ('chrM', 16569, 16571)
) AS t (chrom, GRCh38, GRCh37)
UNPIVOT (length FOR assembly IN (GRCh38, GRCh37));
