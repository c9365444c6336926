import csv
import io
from collections import defaultdict


def spending(table: str) -> dict:
    """
    Sums a table of spending by category.

    Args:
        table (str): CSV with the columns category and amount
    """
    sums = defaultdict(float)
    for row in csv.DictReader(io.StringIO(table)):
        sums[row["category"]] += float(row["amount"])
    return dict(sorted(sums.items()))
