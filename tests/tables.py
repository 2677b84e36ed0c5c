"""A made-up table with every kind of column, with gaps."""

import numpy as np
import pandas


def mixed(rows=240, seed=0):
    """Every kind of column, with gaps; the target hangs on size, colour and sold."""
    random = np.random.default_rng(seed)
    size = random.normal(50.0, 10.0, rows).round(2)
    colour = random.choice(["red", "green", "blue"], rows)
    sold = random.choice([True, False], rows)
    score = (size - 50) / 10 + 2 * (colour == "red") - sold + 0.3 * random.normal(size=rows)
    frame = pandas.DataFrame(
        {
            "number": np.arange(rows) + 7,
            "size": np.where(random.random(rows) < 0.1, np.nan, size),
            "colour": np.where(random.random(rows) < 0.1, None, colour),
            "sold": np.where(sold, "yes", "no"),
            "day": [f"2020-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(rows)],
            "unit": "cm",
            "remark": [f'row {i}, as "told"' for i in range(rows)],
            "price": (1000 + 100 * score).round(2),
            "grade": np.where(score > 0.3, "good", "bad"),
        }
    )
    return frame
