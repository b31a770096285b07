"""Asks nvidia-smi about the current GPU at this moment, clocks too, or says why they are unknown."""

import shutil
import subprocess

import cupy

FIELDS = (
    "name",
    "driver_version",
    "clocks.sm",
    "clocks.max.sm",
    "clocks.mem",
    "clocks.max.mem",
    "temperature.gpu",
    "power.draw",
    "power.limit",
    "compute_mode",
    "clocks_event_reasons.active",
)
SECONDS = 30.0


def nvidia_smi() -> dict[str, str]:
    """FIELDS with their values; "unknown" with the reason where they are not known."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {"unknown": "nvidia-smi is not on PATH"}
    bus = str(cupy.cuda.Device().pci_bus_id)
    asked = [program, f"--id={bus}", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        return {"unknown": str(error)}
    values = [value.strip() for value in answer.stdout.strip().split(",")]
    if answer.returncode != 0 or len(values) != len(FIELDS):
        return {"unknown": (answer.stdout + answer.stderr).strip()}
    return dict(zip(FIELDS, values, strict=True))
