"""The evening before a workshop: whether this machine, or a learner's account on it, is ready for every chapter.

`chapters.py` says what each chapter needs, `limits.py` what a process may use here, `machine.py` tries the kernel, the
folders and the speed, `needs.py` compares, `report.py` is the table and what to mend. Nothing asks for the network.
"""
