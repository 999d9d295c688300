"""A miniature chapter with its checks, for tests of the machinery."""

CHAPTER = '''---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
chapter: {teach_minutes: 5, difficulty: 1}
---

(mini)=
# A miniature chapter

Read {cite:t}`adams2020` and {cite}`adams2020,brown2021` first; see {numref}`fig-mini`, {ref}`ex-mini-topic-double`,
{ref}`mini`, {doc}`02_next` and [the next chapter](02_next.md). Maths stays: {math}`x^2`, $y$, {eq}`eq-mini`.

![Logo](../_static/mini.svg)

```{math}
:label: eq-mini
y = 2 x
```

```{code-cell} ipython3
from mini_checks import check
share = 3 / 4
```

```{code-cell} ipython3
:tags: [compare]
:name: ch01-share
print(f"share {share:.4f} of 100")
```

```{code-cell} ipython3
:tags: [compare]
:name: ch01-count
12
```

```{code-cell} ipython3
---
mystnb:
  figure: {caption: "See {cite:t}`adams2020`: a caption.", name: fig-mini}
  image: {alt: "Words."}
---
print("a figure stands here")
```

```{exercise} The shape
:label: ex-mini-topic-shape
:class: predict
What is it?
```

```{code-cell} ipython3
:tags: [stub]
shape = ...
```

```{solution-start} ex-mini-topic-shape
:class: dropdown
```
The secret reasoning behind the shape is here.

```{code-cell} ipython3
:tags: [solution]
shape = (4, 3)
```
```{solution-end}
```

```{code-cell} ipython3
check.mini_topic.shape(shape)
```

```{exercise} Twice
:label: ex-mini-topic-double
:class: implement
Write it.
```

```{code-cell} ipython3
:tags: [stub]
def double(x):
    ...
```

```{solution-start} ex-mini-topic-double
:class: dropdown
```
```{code-cell} ipython3
:tags: [solution]
def double(x):
    return x * 2 + 0
```
```{solution-end}
```

```{code-cell} ipython3
check.mini_topic.double(double)
```

```{exercise} A bug hunt
:label: ex-mini-topic-try-it
:class: explore
Mend it.
```

```{code-cell} ipython3
:tags: [stub]
def mend(x):
    return x - 1
```

```{solution-start} ex-mini-topic-try-it
:class: dropdown
```
```{code-cell} ipython3
:tags: [solution]
def mend(x):
    return x + 1
```
```{solution-end}
```

```{code-cell} ipython3
check.mini_topic.try_it(mend)
```

```{admonition} For instructors
:class: dropdown instructor
Only instructors should read this line.
```

```{bibliography}
```
'''

NEXT = CHAPTER.split("(mini)=")[0] + "# The next chapter\n\nNothing yet.\n"

CHECKS = r'''
class _Topic:
    def shape(self, answer):
        blank = "found: your answer is not filled in yet"
        print("✓ mini_topic.shape" if answer == (4, 3) else f"✗ mini_topic.shape\n{blank if answer is ... else ''}")

    def double(self, answer):
        got = answer(3)
        blank = "found: your answer is not filled in yet"
        print("✓ mini_topic.double" if got == 6 else f"✗ mini_topic.double\n{blank if got is None else ''}")

    def try_it(self, answer):
        print("✓ mini_topic.try_it" if answer(3) == 4 else "✗ mini_topic.try_it\nfound: 2")


class check:
    mini_topic = _Topic()
'''

BIBLIOGRAPHY = r'''
@article{adams2020, author = {Adams, Ann}, title = {One}, journal = {J}, year = 2020, doi = {10.1000/one}}
@article{brown2021, author = {Br{\"o}wn, Bo and Clark, Cy and Dee, Di}, title = {Two}, journal = {J}, volume = 7,
  pages = {1--9}, year = 2021,
  url = {https://example.org/two}}
'''


def write_book(folder, chapter: str = CHAPTER):
    """Write the miniature book into a folder and return it."""
    part = folder / "book" / "part"
    part.mkdir(parents=True)
    (folder / "book" / "_static").mkdir()
    (folder / "book" / "_static" / "mini.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "book" / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    (part / "01_mini_topic.md").write_text(chapter, encoding="utf-8")
    (part / "01_mini_topic.quiz.json").write_text("[]", encoding="utf-8")
    (part / "02_next.md").write_text(NEXT, encoding="utf-8")
    return folder / "book"
