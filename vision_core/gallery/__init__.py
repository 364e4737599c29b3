"""Many photos: models run over a folder or a zip file, one photo at a time.

``sources`` finds the photos, ``records`` makes the small record of one, ``run`` appends them to a
file and goes on where it stopped, ``totals`` and ``files`` read that file again.
"""
