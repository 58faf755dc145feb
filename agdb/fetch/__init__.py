"""Files of the field, from their official addresses into a folder: each of them whole and checked, or not there at all.

`addresses.toml` says where they are. Nothing here touches a database: beside a file FILE.source.json tells where it is
from, and ingest writes that down (`agdb.ingest.origin`).
"""
