#!/usr/bin/env python3
"""Writes the dashboards' JSON into provisioning/dashboards: `python3 monitoring/grafana/dashboards.py`.

With `--check` it writes nothing, and fails when a committed file is not what it would write.
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from boards import authentication, drift_and_f1, prediction_performance  # noqa: E402

FOLDER = Path(__file__).parent / "provisioning" / "dashboards"
DASHBOARDS = {
    "authentication_dashboard": authentication.build,
    "drift_and_f1_dashboard": drift_and_f1.build,
    "prediction_performance_dashboard": prediction_performance.build,
}


def main(arguments):
    stale = []
    for name, build in DASHBOARDS.items():
        path = FOLDER / f"{name}.json"
        text = json.dumps(build(name), indent=2, ensure_ascii=False) + "\n"
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        print(f"not what dashboards.py writes: {', '.join(stale)}; run python3 monitoring/grafana/dashboards.py",
              file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
