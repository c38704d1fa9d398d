"""One test for each promise in a docstring, with numbers that can be checked by hand."""

from __future__ import annotations

import math
import unittest

from threadcount.__main__ import report
from threadcount.bits import bits_per_byte, corpus_bits_per_byte, perplexity
from threadcount.bootstrap import page_differences, paired_bootstrap
from threadcount.fusion import recall_at, reciprocal_rank_fusion
from threadcount.overlap import leaking_pages, ngrams, overlap_rate
from threadcount.shingles import keep_first, near_duplicates
from threadcount.words import count_page, count_pages, sentence_count, words


class Words(unittest.TestCase):
    def test_apostrophes_and_hyphens_belong_to_the_word(self) -> None:
        self.assertEqual(words("I don't keep near-duplicates."), ["I", "don't", "keep", "near-duplicates"])

    def test_a_decimal_point_ends_no_sentence(self) -> None:
        self.assertEqual(sentence_count('It took 3.5 hours. "Boring," she said. "On purpose."'), 3)

    def test_a_heading_is_one_sentence_and_nothing_is_none(self) -> None:
        self.assertEqual((sentence_count("What it costs"), sentence_count("  ")), (1, 0))

    def test_the_mean_is_over_sentences(self) -> None:
        self.assertEqual(count_page("One two. Three.").words_per_sentence, 1.5)
        self.assertEqual(count_pages(["One two.", "Three. Four. Five."]).words_per_sentence, 1.25)


class Overlap(unittest.TestCase):
    def test_case_and_commas_hide_no_leak(self) -> None:
        leaks = leaking_pages({"old": "The ice has left, at last."}, {"new": "the ICE has left at last"}, n=6)
        self.assertEqual(leaks, {"new": ["old"]})

    def test_the_rate_counts_distinct_runs(self) -> None:
        self.assertEqual(overlap_rate(["a b c d"], ["a b c x"], n=2), 2 / 3)
        self.assertEqual(overlap_rate(["a b"], ["a"], n=2), 0.0)

    def test_a_short_text_has_no_run(self) -> None:
        self.assertEqual(ngrams("too short", 3), set())


class Shingles(unittest.TestCase):
    def test_a_cross_post_is_found_and_the_first_kept(self) -> None:
        essay = " ".join(f"thread{i}" for i in range(60))
        pages = {"medium": essay, "other": "A page about ferries and nothing else at all.", "substack": essay + " end"}
        pair = near_duplicates(pages)[0]
        self.assertEqual((pair.first, pair.second), ("medium", "substack"))
        self.assertAlmostEqual(pair.similarity, 56 / 57)
        self.assertEqual(keep_first(pages), {"substack": "medium"})


class Fusion(unittest.TestCase):
    def test_agreement_beats_brilliance(self) -> None:
        fused = reciprocal_rank_fusion([["c", "a", "b"], ["x", "y", "b"]])
        self.assertEqual(fused[0], ("b", 2 / 63))

    def test_ties_go_by_id_and_repeats_count_once(self) -> None:
        self.assertEqual(reciprocal_rank_fusion([["b", "b"], ["a"]]), [("a", 1 / 61), ("b", 1 / 61)])

    def test_recall(self) -> None:
        self.assertEqual(recall_at(["a", "b", "c"], {"b", "z"}, limit=2), 0.5)


class Bits(unittest.TestCase):
    def test_a_byte_guessed_blindly_costs_eight_bits(self) -> None:
        self.assertAlmostEqual(bits_per_byte(4 * math.log(256), "ferr"), 8.0)

    def test_an_umlaut_is_two_bytes(self) -> None:
        self.assertAlmostEqual(bits_per_byte(math.log(2), "ö"), 0.5)

    def test_pages_are_summed_before_they_are_divided(self) -> None:
        self.assertAlmostEqual(corpus_bits_per_byte([(math.log(2), "a"), (0.0, "abc")]), 0.25)

    def test_perplexity_of_a_coin(self) -> None:
        self.assertAlmostEqual(perplexity(10 * math.log(2), 10), 2.0)


class Bootstrap(unittest.TestCase):
    def test_a_steady_gain_excludes_zero(self) -> None:
        old = [0.93, 0.88, 1.02, 0.95]
        interval = paired_bootstrap(old, [0.91, 0.87, 0.97, 0.93])
        self.assertTrue(interval.excludes_zero)
        self.assertAlmostEqual(interval.mean, -0.025)

    def test_one_lucky_page_does_not(self) -> None:
        self.assertFalse(paired_bootstrap([1.0, 1.0, 1.0, 1.0], [0.5, 1.01, 1.01, 1.01]).excludes_zero)

    def test_the_same_seed_gives_the_same_interval(self) -> None:
        old, new = [1.0, 2.0, 3.0], [1.5, 1.9, 3.2]
        self.assertEqual(paired_bootstrap(old, new, seed=7), paired_bootstrap(old, new, seed=7))

    def test_scores_of_different_pages_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            page_differences([1.0], [1.0, 2.0])


class Report(unittest.TestCase):
    def test_a_line_for_each_page_and_a_total(self) -> None:
        self.assertEqual(len(report({"a": "One.", "b": "Two words."}).splitlines()), 3)


if __name__ == "__main__":
    unittest.main()
