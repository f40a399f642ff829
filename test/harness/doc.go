// Package harness starts servers, processes, models and identity providers for the tests that drive the whole program.
//
// [Start] serves in the test's process and returns an [Env]; [StartProcess] runs the executable, which [BuildBinary]
// builds once for a test package, with the race detector when the tests have it. [StartModel] serves a scripted model,
// [NewIdentityProvider] issues tokens. Everything ends with the test that started it.
package harness
