"""What Lapak does per second, beside what is possible: measured by ``make bench``, never tested."""
