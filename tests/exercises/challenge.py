"""Planted wrong answers of chapter 17, and the words that each must be told."""

import numpy as np

from course_utils.challenge import resampled_iou


def blended(sort_a=True, sort_b=True, sort_ids=True, cut_with=np.greater_equal, masks=False):
    def blend(ids_a, prob_a, ids_b, prob_b, cut):
        a = np.argsort(ids_a) if sort_a else slice(None)
        b = np.argsort(ids_b) if sort_b else slice(None)
        if masks:
            return ids_a[a], (prob_a[a] >= cut) & (prob_b[b] >= cut)
        return (ids_a[a] if sort_ids else ids_a), cut_with((prob_a[a] + prob_b[b]) / 2, cut)
    return blend


def gains(first, second, times):
    return resampled_iou(first, times) - resampled_iou(second, times)


def apart(first, second, times):
    one, two = resampled_iou(first, times), resampled_iou(second, times)
    error = np.hypot(one.std(), two.std())
    return (one - two).mean() + error * np.array([-1.96, 1.96])


def of_intervals(first, second, times):
    one, two = (np.quantile(resampled_iou(entry, times), [0.025, 0.975]) for entry in (first, second))
    return one - two


def laddered(margin=1, rounded=True, compare_last_score=False, drop=False):
    def ladder(scores, step):
        answers, reference = [], None
        for score in scores:
            if reference is None or score > reference + margin * step:
                answers.append(round(score / step) * step if rounded else score)
                reference = answers[-1]
            elif not drop:
                answers.append(answers[-1])
            if compare_last_score:
                reference = score
        return answers
    return ladder


def masks(images, predict, cut, generator):
    from course_utils.data.patches import batches

    pairs = [(batch["id"], predict(batch["image"]))
             for batch in batches(images, 32, shuffle=True, generator=generator)]
    return np.concatenate([ids for ids, _ in pairs]), np.concatenate([prob for _, prob in pairs]) >= cut


def masks_of_others(images, predict, cut, generator):
    ids, pred = masks(images, predict, cut, generator)
    return np.sort(ids), pred


def choose(cuts, ask_validation, ask_board):
    return max(cuts, key=ask_validation)


def choose_both(cuts, ask_validation, ask_board):
    return max(cuts, key=lambda cut: ask_validation(cut) + 0 * ask_board(cut))


def search(settings, train, budget):
    with budget:
        found = {setting: train(setting) for setting in settings}
    return max(found, key=found.get)


def search_winner_only(settings, train, budget):
    found = {setting: train(setting) for setting in settings}
    with budget:
        train(max(found, key=found.get))
    return max(found, key=found.get)


def search_last(settings, train, budget):
    with budget:
        for setting in settings:
            train(setting)
    return settings[-1]


WRONG = {
    "withheld": [("a", "no label"), ("b", "one-way"), ("d", "than it can ever try")],
    "blend": [
        (blended(sort_a=False, sort_b=False), "still in the order of the first model"),
        (blended(sort_b=False), "second model's rows are still in their own order"),
        (blended(sort_ids=False), "still in the order of the first"),
        (blended(cut_with=np.greater), ">= instead of >"),
        (blended(masks=True), "average the probabilities, then cut"),
        (lambda ids_a, prob_a, ids_b, prob_b, cut: prob_a >= cut, "two arrays"),
        (lambda ids_a, prob_a, ids_b, prob_b, cut: (np.sort(ids_a), prob_a + prob_b), "compare the mean"),
    ],
    "interval": [
        (lambda a, b, times: np.quantile(gains(b, a, times), [0.025, 0.975]), "second minus first"),
        (lambda a, b, times: np.quantile(gains(a, b, times), [0.05, 0.95]), "the central 90 %"),
        (lambda a, b, times: np.quantile(gains(a, b, times), [0.975, 0.025]), "the lower end comes first"),
        (apart, "not paired"),
        (of_intervals, "subtract within each draw first"),
        (lambda a, b, times: gains(a, b, times).mean(), "the lower and the upper end"),
    ],
    "best_of": [(3.035, "upper bound"), (0.0, "the mean of all entries"), (5.1, "along each row"),
                (2.2, "too few draws")],
    "ladder": [
        (laddered(rounded=False), "not rounded"),
        (laddered(margin=0), "higher by more than a step"),
        (laddered(drop=True), "gets the last answer again"),
        (laddered(compare_last_score=True), "not the last answer"),
        (lambda scores, step: [round(score / step) * step for score in scores], "every score is answered"),
    ],
    "bug_hunt": [
        ((masks_of_others, choose, search), "read both from the same batch"),
        ((masks, lambda cuts, ask_validation, ask_board: max(cuts, key=ask_board), search), "on the test scenes"),
        ((masks, choose_both, search), "validation's alone"),
        ((masks, choose, search_winner_only), "what did not win was computed, too"),
        ((masks, choose, search_last), "the highest IoU on validation"),
        ((masks, choose), "the three functions"),
    ],
}
