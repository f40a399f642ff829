package intent

import "errand/internal/offline/text"

func patterns(list ...string) []text.Pattern {
	ps := make([]text.Pattern, len(list))
	for i, s := range list {
		ps[i] = text.Compile(s)
	}
	return ps
}

// courtesies are polite words before or after a request that do not change its meaning.
var (
	before = patterns(
		"please|pls|plz|kindly|hey|hi|hello|yo|ok|okay|alright|so|well|um|uh|oh|and|then|also|now|just|next|finally|first|firstly|secondly|lastly|additionally|plus|but|actually|quickly [,|!|.|:] <rest>",
		"can|could|would|will|might you|u|we [please|pls|plz|kindly|also|just] <rest>",
		"would|could you be so kind as to <rest>",
		"i_want|i_need|id_like|i_would_like|id_love|i_would_love you to <rest>",
		"please_do|go_ahead_and|do_me_a_favor_and|do_me_a_favour_and <rest>",
		"i_was_wondering_if|it_would_be_great_if|it_would_be_nice_if|i_wonder_if|is_it_possible_for you could|can|to <rest>",
		"great|good|perfect|nice|cool|awesome|super|thanks|thank_you|thx|yes|yeah|yep|yup|sure|no|nope|right|done|sorry|oops|errand|assistant|good_morning|good_evening|good_afternoon|hi_there|hey_there|hello_there|hi_errand|hey_errand|hello_errand ,|!|. <rest>",
		"hey|hi|hello|ok|okay errand|there|assistant [,|!] <rest>",
		"oh_and|one_more_thing|also|by_the_way|btw [,|:] <rest>",
		"yes|yeah|yep|yup|sure <rest>",
		"[that|it|this] was|is [my|a] mistake|an_error|wrong|not_right|not_what_i_meant ,|!|.|:|- <rest>",
		"my mistake|bad|error ,|!|.|:|- <rest>",
		"i [have|ve] made_a_mistake|was_wrong|messed_up|misspoke ,|!|.|:|- <rest>",
		"wait|hold_on|no_wait ,|!|.|:|- <rest>",
		"undo|revert that|this|it : <rest>", // the following command states the change to undo
		"in_addition|after_that|afterwards|as_well_as , <rest>",
	)
	after = patterns(
		"<rest> [,] please|pls|plz|pretty_please|kindly",
		"<rest> ,|.|! "+
			"thanks|thank_you|thx|ty|cheers|thank_you_very_much|thank_you_so_much|many_thanks|thanks_a_lot|ok|okay|right",
		"<rest> [,] thanks_in_advance|if_you_can|if_possible|if_you_dont_mind|will_you|would_you|could_you|can_you",
	)
	// softAfter may also be part of the request, so it is removed only when nothing else matches.
	softAfter = patterns(
		"<rest> [,] " +
			"for_me|now|right_now|already|again|too|as_well|instead|then|thanks|thank_you|thx|immediately|asap|today|finally|yet|at_last|yesterday|last_night|this_morning|this_afternoon|earlier|right_away|straight_away",
	)
)

// withoutCourtesy removes polite words from both ends, but never the last remaining word.
func withoutCourtesy(t text.Text) text.Text {
	for {
		next, ok := strip(t.Trim(), before)
		if !ok {
			next, ok = strip(next, after)
		}
		if !ok {
			return next
		}
		t = next
	}
}

func strip(t text.Text, ps []text.Pattern) (text.Text, bool) {
	for _, p := range ps {
		if c, ok := p.Match(t); ok {
			return c["rest"].Trim(), true
		}
	}
	return t, false
}
