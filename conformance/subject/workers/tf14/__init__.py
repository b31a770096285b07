"""TensorFlow 1.4.1 behind the contract, imported by the script tensorflow14.py on Python 3.6 and by nobody else."""
