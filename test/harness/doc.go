// Package harness starts servers, processes, models and identity providers for the tests that drive the whole program.
//
// [Start] starts a server in the test's process and returns an [Env]. [StartProcess] starts the executable, which
// [BuildBinary] builds once for a test package, with the race detector when the tests run with it. [StartModel]
// starts a scripted model, [NewIdentityProvider] an identity provider with its key endpoint. All of them stop when
// the test that started them ends.
package harness
