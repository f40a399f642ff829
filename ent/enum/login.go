package enum

// LoginRole is what the holder of a built-in account may do beyond using it.
type LoginRole string

// Roles of built-in accounts.
const (
	// RoleOwner invites others and lists the accounts. The first account has it.
	RoleOwner LoginRole = "OWNER"
	// RoleMember only uses the account.
	RoleMember LoginRole = "MEMBER"
)

// Values returns all names, for Ent.
func (LoginRole) Values() []string { return values(RoleOwner, RoleMember) }

// LinkKind is what a sign-in link is for.
type LinkKind string

// Kinds of sign-in links.
const (
	// LinkSetUp creates the first account, an owner.
	LinkSetUp LinkKind = "SETUP"
	// LinkInvite creates an account, or sets the first password of one that an operator has added.
	LinkInvite LinkKind = "INVITE"
	// LinkReset sets a new password.
	LinkReset LinkKind = "RESET"
)

// Values returns all names, for Ent.
func (LinkKind) Values() []string { return values(LinkSetUp, LinkInvite, LinkReset) }
