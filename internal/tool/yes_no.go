package tool

import (
	"strings"
	"unicode"
)

// maxYesNo is the length of the longest answer that can be a plain yes or no, in bytes.
const maxYesNo = 60

// The words of a plain yes or no, in several languages, in lower case and without punctuation. Words of courtesy may
// follow or precede them. A word that means yes in one language and no or "enough" in another is in neither list
// ("nai", "ya").
var (
	yesWords = wordSet(`yes|y|yeah|yep|yup|sure|ok|okay|okey|k|confirm|confirmed|approve|approved|go ahead|do it|do so|` +
		`please do|proceed|of course|absolutely|definitely|correct|right|` +
		`yes do it|yes do it now|do it now|yes go ahead|yes please do|yes all|yes all of them|` +
		`all of them|yes both|yes to all|sounds good|` +
		`ja|jawohl|jo|klar|gerne|genau|mach das|mach es|bestätigt|einverstanden|ja mach das|ja bitte mach das|` +
		`oui|ouais|d accord|vas y|allez y|bien sûr|bien sur|confirme|` +
		`sí|si|claro|vale|adelante|hazlo|por supuesto|confirmo|de acuerdo|` +
		`va bene|certo|procedi|sì|confermo|d accordo|` +
		`sim|claro que sim|pode|pode ser|confirmar|` +
		`graag|akkoord|prima|doe maar|ga door|` +
		`tak|dobrze|jasne|zgoda|potwierdzam|` +
		`да|ага|хорошо|конечно|подтверждаю|давай|так|` +
		`evet|tamam|olur|onaylıyorum|` +
		`ano|áno|igen|da|ναι|kyllä|joo|ja tak|jag bekräftar|` +
		`はい|うん|お願いします|はいお願いします|是|是的|好|好的|可以|确认|確認|對|对|네|예|응|좋아요|` +
		`نعم|أجل|موافق|כן|हाँ|हां|जी हाँ|vâng|có|đồng ý|iya|👍|✅`)
	noWords = wordSet(`no|n|nope|nah|don t|dont|do not|no don t|cancel|cancel that|stop|never mind|nevermind|` +
		`forget it|reject|rejected|abort|leave it|leave them|not now|better not|no way|no cancel|` +
		`nein|nee|nö|abbrechen|lieber nicht|nicht|lass es|lass das|` +
		`non|annule|annuler|laisse|pas maintenant|surtout pas|` +
		`cancela|cancelar|para|déjalo|mejor no|ahora no|` +
		`annulla|lascia stare|meglio no|` +
		`não|nao|deixa|agora não|` +
		`stoppen|laat maar|liever niet|` +
		`nie|anuluj|zostaw|` +
		`нет|не надо|отмена|отмени|не нужно|ні|` +
		`hayır|iptal|vazgeç|` +
		`ne|nem|όχι|ei|nej|nei|` +
		`いいえ|いや|やめて|キャンセル|不|不要|不用|不是|取消|否|아니요|아니|취소|` +
		`لا|إلغاء|לא|नहीं|không|tidak|👎|❌`)
	// courtesies carry no decision.
	courtesies = wordSet(
		`please|thanks|thank you|thx|pls|bitte|danke|s il te plaît|s il vous plaît|merci|por favor|gracias|` +
			`per favore|grazie|obrigado|obrigada|alstublieft|proszę|пожалуйста|спасибо|errand`,
	)
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Split(words, "|") {
		set[w] = true
	}
	return set
}

// ReadYesNo reports whether a message is a plain yes or no, and which. A message with anything else in it is neither.
func ReadYesNo(message string) (yes, ok bool) {
	if len(message) > maxYesNo || strings.ContainsRune(message, '?') {
		return false, false
	}
	words := strings.FieldsFunc(strings.ToLower(message), func(r rune) bool {
		modifier := r >= 0x1F3FB && r <= 0x1F3FF || r == 0xFE0F // of emoji
		return modifier || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) && !unicode.IsSymbol(r)
	})
	words = withoutCourtesies(words)
	text := strings.Join(words, " ")
	switch {
	case text == "":
		return false, false
	case yesWords[text]:
		return true, true
	case noWords[text]:
		return false, true
	}
	// "yes, yes", "yes ok": every word is one of the same kind.
	allYes, allNo := true, true
	for _, w := range words {
		allYes, allNo = allYes && yesWords[w], allNo && noWords[w]
	}
	return allYes, allYes != allNo
}

// withoutCourtesies removes courtesies at both ends.
func withoutCourtesies(words []string) []string {
	for n := min(4, len(words)); n > 0; n-- {
		switch {
		case courtesies[strings.Join(words[len(words)-n:], " ")]:
			return withoutCourtesies(words[:len(words)-n])
		case courtesies[strings.Join(words[:n], " ")]:
			return withoutCourtesies(words[n:])
		}
	}
	return words
}
