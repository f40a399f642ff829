package stream

import (
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"testing"

	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

func randomState(r *rand.Rand) *subscriberState {
	v := newSubscriberState("conv_1")
	v.revision = max(0, r.IntN(2000)-1000)
	for range r.IntN(5) {
		v.lastPosition += 1 + r.IntN(1000)
		t := &replyState{position: v.lastPosition, attempt: r.IntN(300), offset: r.IntN(1 << 20), started: r.IntN(20)}
		for i := range t.started {
			if r.IntN(3) == 0 {
				t.open = append(t.open, i)
			}
		}
		v.unfinished = append(v.unfinished, t)
	}
	v.lastPosition += r.IntN(3)
	return v
}

func TestDecodeCursor_RandomState_ReturnsSameState(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		v := randomState(r)
		back, err := decodeCursor("conv_1", v.cursor())
		require.NoError(t, err)
		require.Equal(t, v, back)
	}
}

func TestDecodeCursor_MaximumUnfinishedReplies_ReturnsSameState(t *testing.T) {
	v := newSubscriberState("conv_1")
	v.revision = 0
	for i := range 1000 {
		v.lastPosition = 2 * (i + 1)
		v.unfinished = append(v.unfinished, &replyState{position: v.lastPosition})
	}
	back, err := decodeCursor("conv_1", v.cursor())
	require.NoError(t, err)
	require.Equal(t, v, back)
}

func TestDecodeCursor_ForgedCursor_ReturnsBadUserInput(t *testing.T) {
	good := (&subscriberState{conversationID: "conv_1", lastPosition: 4, unfinished: []*replyState{{
		position: 2,
		attempt:  1, offset: 3, started: 2, open: []int{1},
	}}}).cursor()
	_, err := decodeCursor("conv_1", good)
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	require.NoError(t, err)
	head := raw[:5]
	forge := func(numbers ...byte) string {
		return base64.RawURLEncoding.EncodeToString(append(append([]byte{}, head...), numbers...))
	}
	for name, cursor := range map[string]string{
		"empty":                    "",
		"not base64":               "!!!",
		"another version":          base64.RawURLEncoding.EncodeToString(append([]byte{9}, raw[1:]...)),
		"no numbers":               forge(),
		"cut short":                base64.RawURLEncoding.EncodeToString(raw[:len(raw)-1]),
		"a number too many":        forge(4, 2, 1, 3, 2, 1, 1, 7),
		"a position beyond last":   forge(4, 5, 1, 3, 0, 0),
		"position 0":               forge(4, 0, 1, 3, 0, 0),
		"the same position twice":  forge(4, 2, 1, 3, 0, 0, 2, 1, 3, 0, 0),
		"positions out of order":   forge(4, 3, 1, 3, 0, 0, 2, 1, 3, 0, 0),
		"more open than started":   forge(4, 2, 1, 3, 1, 2, 0, 1),
		"an open call not started": forge(4, 2, 1, 3, 1, 1, 1),
		"an open call twice":       forge(4, 2, 1, 3, 3, 2, 1, 1),
		"a huge number":            forge(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
		"an endless number":        forge(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"revision 0 in version 2":  base64.RawURLEncoding.EncodeToString(slices.Concat([]byte{2}, raw[1:5], []byte{0, 4})),
	} {
		_, err := decodeCursor("conv_1", cursor)
		require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err), name)
		require.Equal(t, "after", apperr.From(err).Field, name)
	}
	_, err = decodeCursor("conv_2", good)
	require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err), "a cursor of another conversation")
}

// Cursors of conversations without decisions stay those that earlier releases read.
func TestCursor_NoRevision_HasVersion1(t *testing.T) {
	version := func(v *subscriberState) byte {
		raw, err := base64.RawURLEncoding.DecodeString(v.cursor())
		require.NoError(t, err)
		return raw[0]
	}
	v := newSubscriberState("conv_1")
	require.EqualValues(t, 1, version(v))
	v.revision = 0
	require.EqualValues(t, 1, version(v))
	v.revision = 1
	require.EqualValues(t, 2, version(v))
}

// FuzzCursor decodes any bytes as a cursor: it is rejected, or the state that it holds receives the stored rows.
func FuzzCursor(f *testing.F) {
	f.Add([]byte{4, 2, 1, 3, 2, 1, 1})
	f.Add([]byte{0})
	f.Add([]byte{2, 1, 0, 1, 0, 0, 2, 9, 2, 0, 0})
	f.Fuzz(func(t *testing.T, numbers []byte) {
		head, err := base64.RawURLEncoding.DecodeString(newSubscriberState("conv_1").cursor())
		require.NoError(t, err)
		cursor := base64.RawURLEncoding.EncodeToString(append(head[:5], numbers...))
		v, err := decodeCursor("conv_1", cursor)
		if err != nil {
			require.Equal(t, apperr.BadUserInput, apperr.CodeOf(err))
			return
		}
		again, err := decodeCursor("conv_1", v.cursor())
		require.NoError(t, err)
		require.Equal(t, v, again)
		v.applyRows(finishedTurn(), func(e MessageEvent) {
			if end, ok := e.(*MessageFinished); ok {
				require.Equal(t, finishedTurn()[end.Message.Position-1].Content, end.Message.Content)
			}
		})
	})
}
