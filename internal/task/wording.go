package task

// Wording is the words of a text in which a user may name tasks.
type Wording struct {
	words []word
}

// NewWording returns the words of a text, normalised as those of references and titles are.
func NewWording(text string) Wording { return Wording{words: words(text)} }

// FoldLetters returns a text without the differences that references and titles ignore in words, other than case:
// accents, compatibility forms, and kinds of apostrophes and digits.
func FoldLetters(text string) string { return foldLetters(text) }

// Holds reports whether the text has all the words of a title that count in references, close together: in any order,
// with about as many other words between them. Words that describe no task, such as "all" and "12", are never enough.
func (w Wording) Holds(title string) bool {
	named, _ := dropStopWords(words(title))
	vague := true
	for _, n := range named {
		vague = vague && (isNumeric(n.text) || isPointer(n.text))
	}
	if vague || !holdsAll(w.words, named) {
		return false
	}
	span := 2*len(named) + 3
	for i := range w.words {
		if holdsAll(w.words[i:min(i+span, len(w.words))], named) {
			return true
		}
	}
	return false
}
