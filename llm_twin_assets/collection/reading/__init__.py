"""Formats that no platform owns: zips, CSV, front matter, notebooks, feeds, sitemaps, dates, bytes."""
