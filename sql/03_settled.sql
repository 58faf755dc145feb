-- A number to 12 significant digits. Sums of DOUBLE that several threads add up differ in their last bits from run to
-- run: what a view shows of them is settled, so that an export of the same data is the same file.
CREATE OR REPLACE MACRO settled(x) AS printf('%.12g', x)::DOUBLE;

COMMENT ON MACRO settled IS 'settled(x): x to 12 significant digits, beyond which sums differ from run to run.';
