package httpapi

import (
	"encoding/json"
	"net/http"
	"time"

	"errand/internal/signin"
)

func (h *Handler) checkLink(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Token string `json:"token"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	link, err := h.Accounts.CheckLink(r.Context(), caller(r), in.Token)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, link)
	return nil
}

func (h *Handler) redeem(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Token    string `json:"token"`
		Login    string `json:"login"`
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	s, err := h.Accounts.Redeem(r.Context(), caller(r), signin.Redemption{
		Token:    in.Token,
		Login:    in.Login,
		Name:     in.Name,
		Password: in.Password,
	})
	if err != nil {
		return err
	}
	return h.begin(w, r, s)
}

// ceremony is the answer of the browser to a Ceremony.
type ceremony struct {
	Ceremony   string          `json:"ceremony"`
	Credential json.RawMessage `json:"credential"`
}

func (h *Handler) beginPasskeySignIn(w http.ResponseWriter, r *http.Request) error {
	if err := decode(w, r, &struct{}{}); err != nil {
		return err
	}
	begun, err := h.Accounts.BeginPasskeySignIn(r.Context(), h.origin(r))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, begun)
	return nil
}

func (h *Handler) finishPasskeySignIn(w http.ResponseWriter, r *http.Request) error {
	var in ceremony
	if err := decode(w, r, &in); err != nil {
		return err
	}
	s, err := h.Accounts.FinishPasskeySignIn(r.Context(), caller(r), h.origin(r), in.Ceremony, in.Credential)
	if err != nil {
		return err
	}
	return h.begin(w, r, s)
}

func (h *Handler) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	if err := decode(w, r, &struct{}{}); err != nil {
		return err
	}
	begun, err := h.Accounts.BeginPasskey(r.Context(), h.origin(r))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, begun)
	return nil
}

func (h *Handler) finishPasskey(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		ceremony
		Name string `json:"name"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	passkey, err := h.Accounts.FinishPasskey(r.Context(), h.origin(r), in.Ceremony, in.Credential, in.Name)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, passkey)
	return nil
}

func (h *Handler) deletePasskey(w http.ResponseWriter, r *http.Request) error {
	return noContent(w, h.Accounts.DeletePasskey(r.Context(), r.PathValue("id")))
}

func (h *Handler) account(w http.ResponseWriter, r *http.Request) error {
	account, err := h.Accounts.Account(r.Context())
	if err != nil {
		return err
	}
	account.Passkeys, account.Sessions = notNull(account.Passkeys), notNull(account.Sessions)
	writeJSON(w, http.StatusOK, account)
	return nil
}

func (h *Handler) endSession(w http.ResponseWriter, r *http.Request) error {
	return noContent(w, h.Accounts.EndSession(r.Context(), r.PathValue("id")))
}

func (h *Handler) changePassword(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Current string `json:"current"`
		New     string `json:"new"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	return noContent(w, h.Accounts.ChangePassword(r.Context(), caller(r), in.Current, in.New))
}

func (h *Handler) invite(w http.ResponseWriter, r *http.Request) error {
	if err := decode(w, r, &struct{}{}); err != nil {
		return err
	}
	link, err := h.Accounts.Invite(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, struct {
		URL       string     `json:"url"`
		ExpiresAt *time.Time `json:"expiresAt"`
	}{LinkURL(h.Site.URL(r), link.Token), link.ExpiresAt})
	return nil
}

func (h *Handler) users(w http.ResponseWriter, r *http.Request) error {
	users, err := h.Accounts.Users(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"users": notNull(users)})
	return nil
}

// LinkURL returns the address of the page that uses a link. The token is in the fragment, which browsers send to no
// server. base is the server's URL without a slash at its end.
func LinkURL(base, token string) string { return base + "/#/join/" + token }

func noContent(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// notNull returns an empty list for nil, which JSON would have as null.
func notNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
