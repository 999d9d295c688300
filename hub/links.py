"""Addresses that run a chapter: on a JupyterHub, whose nbgitpuller brings the notebooks first, and on Google Colab.

``python -m hub.links --hub https://hub.example.org --repository https://github.com/OWNER/NAME`` prints one for each
chapter. The site's buttons (``course_launch`` in ``_config.yml``) come from here, too.
"""

import argparse
from urllib.parse import quote, urlencode, urlsplit

LAUNCH = {"repository": "", "branch": "main", "hub": "", "colab": False}


def launch_links(notebook: str, launch: dict) -> dict[str, str]:
    """Where a notebook can be run with one click.

    Args:
        notebook: its path in the repository of learner notebooks.
        launch: ``repository`` (its address, empty for none), ``branch``, ``hub`` (a JupyterHub with nbgitpuller),
            ``colab`` (whether to offer Google Colab), as in ``_config.yml``.

    Returns:
        Address by name; empty where nothing is configured.

    Raises:
        ValueError: a setting that is unknown, or of no use without another.
    """
    if unknown := launch.keys() - LAUNCH.keys():
        raise ValueError(f"found course_launch: {', '.join(sorted(unknown))}, expected some of {', '.join(LAUNCH)}")
    launch = LAUNCH | launch
    repository = launch["repository"].removesuffix("/").removesuffix(".git")
    if not repository:
        if launch["hub"] or launch["colab"]:
            raise ValueError("found course_launch with a hub or Colab but no repository; expected the address of "
                             "the repository that holds the learner notebooks")
        return {}
    links = {}
    if launch["hub"]:
        place = {"repo": repository, "branch": launch["branch"],
                 "urlpath": f"lab/tree/{repository.rpartition('/')[2]}/{notebook}"}
        links["JupyterHub"] = f"{launch['hub'].rstrip('/')}/hub/user-redirect/git-pull?{urlencode(place)}"
    if launch["colab"]:
        if urlsplit(repository).netloc != "github.com":
            raise ValueError(f"found colab: true for {repository}, expected a repository on github.com")
        path = quote(f"{urlsplit(repository).path}/blob/{launch['branch']}/{notebook}")
        links["Colab"] = f"https://colab.research.google.com/github{path}"
    return links


def chapter_links(launch: dict) -> dict[str, str]:
    """Where each chapter is on a hub, by its notebook, in reading order; settings as of `launch_links`."""
    from tools.notebooks import chapters

    notebooks = [f"{chapter.parent.name}/{chapter.stem}.ipynb" for chapter in chapters()]
    return {notebook: launch_links(notebook, launch)["JupyterHub"] for notebook in notebooks}


def main() -> None:
    """Print the link of each chapter."""
    parser = argparse.ArgumentParser(description="Print a link for each chapter that brings its notebook to a hub.")
    parser.add_argument("--hub", required=True, help="address of the JupyterHub")
    parser.add_argument("--repository", required=True, help="address of the repository of learner notebooks")
    parser.add_argument("--branch", default="main")
    for notebook, link in chapter_links(vars(parser.parse_args())).items():
        print(f"{notebook}\n  {link}")


if __name__ == "__main__":
    main()
