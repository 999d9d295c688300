"""Which exercises a class has passed and where it is stuck, private by default.

The environment variable ``COURSE_PROGRESS`` names a file in the learner's home, to which each check then adds a line:
time, exercise, whether it passed, hints, attempt. Without the variable nothing is written. No answer, no name and
nothing about the machine is ever in it. `record.py` is a line and how it is written, `classroom.py` what the files of
a class say.
"""
