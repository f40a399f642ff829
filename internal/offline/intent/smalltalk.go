package intent

import "errand/internal/offline/text"

type talk struct {
	topic    Topic
	patterns []text.Pattern
}

var smallTalk = []talk{
	{Greeting, patterns(
		"hi|hello|hey|yo|howdy|hiya|greetings|sup|moin|hallo|heya [there|errand|again|everyone|assistant]",
		"good morning|afternoon|evening|day [errand|there]", "whats up", "wassup")},
	{HowAreYou, patterns("how are|r you|u|things [doing|today]", "hows it|everything going", "how do you do")},
	{Thanks, patterns(
		"thanks|thank_you|thx|ty|cheers|tysm|merci|danke [you] [so|very|a] [much|lot|bunch|ton] [for] "+
			"[that|the|your|everything|all] [help|your] [help]",
		"many thanks",
		"much appreciated",
		"i appreciate it|that|this",
		"great|perfect|ok|okay|awesome thanks|thank_you|thx",
	)},
	{Acknowledged, patterns(
		"ok|okay|great|perfect|nice|cool|awesome|super|wonderful|excellent|good|fine|alright|sure|yes|yeah|yep|yup|no|nope|k|right|lol|wow|got_it|i_see|understood|never_mind|nevermind|no_worries|all_good|sounds_good|good_job|well_done|great_job|nice_one|no_thanks|no_thank_you|thats_all|that_is_all|nothing|nothing_else|cancel|cancel_that|stop|forget_it|thats_it|that_is_it|all_done",
	)},
	{
		Farewell,
		patterns(
			"bye|goodbye|cya|bye_bye|see_you|see_ya|good_night|goodnight|ciao|farewell|later|see_you_later " +
				"[errand|tomorrow|soon|then]",
		),
	},
	{Help, patterns(
		"help [me] [please]",
		"?",
		"i need [some] help",
		"what can|do|could|are you do|able_to_do [for_me]",
		"what do you do",
		"who|what are you",
		"how does this|it|errand work",
		"what can i|we say|ask|do|type [you|here]",
		"how do|can|would|should|to i|you|we <anything?>",
		"how to <anything>",
		"what|which commands|things|features [can|do] [i|you] [use|know|have|support|understand|do]",
		"show|list [me] [the|all] [available] commands|help|examples",
		"commands|usage|instructions|examples|menu|start",
		"what is errand",
		"what are your capabilities|features|functions",
	)},
	{
		NoUndo,
		patterns(
			"undo [that|it|this|the_last] [one|change|action|deletion]",
			"revert|restore [that|it|this|the|my] [last|deleted] [one|change|task|tasks|it]",
			"take that back",
			"undelete <anything?>",
		),
	},
	{LeftAlone, patterns(
		"dont|do_not|never|please_dont "+
			"delete|remove|erase|complete|finish|mark|change|rename|update|move|reopen|add|create|touch|set|clear|drop|do|close|cancel|reschedule|postpone|show|list <anything?>",
		"leave <anything> alone|as_is|as_it_is|unchanged",
		"keep it|them|that|this|everything [as] [is|it_is|they_are]",
	)},
}

// readSmallTalk recognizes messages without a request for tasks.
func readSmallTalk(t text.Text) (Request, bool) {
	for _, row := range smallTalk {
		for _, p := range row.patterns {
			if _, ok := p.Match(t); ok {
				return Request{Kind: Say, Topic: row.topic}, true
			}
		}
	}
	return Request{}, false
}

var conditionals = patterns(
	"if|whenever|once|unless|until|as_soon_as|as_long_as|in_case|assuming|provided <anything>",
	"when i|we|you|it|task|the|my|all|everything|both|they <anything>",
)

// conditional recognizes "if task 3 is done, delete it", which must not be executed.
func conditional(t text.Text) bool {
	for _, p := range conditionals {
		if _, ok := p.Match(withoutCourtesy(t)); ok {
			return true
		}
	}
	return false
}

// hedged recognizes a condition after a command: "delete task 3 if it is done".
func hedged(req Request, t text.Text) bool {
	if req.free || req.Kind == Say || req.Kind == List || req.Kind == Unknown {
		return false
	}
	for _, k := range t.Keys() {
		if k == "if" || k == "unless" || k == "whether" {
			return true
		}
	}
	return false
}
