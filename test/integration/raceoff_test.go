//go:build !race

package integration

// raceDetector says that everything takes several times as long.
const raceDetector = false
