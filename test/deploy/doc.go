// Package deploy tests what installs and operates the server: the image, the archives of a release, the scripts and
// units in ops. It runs the program in the file trees that these make, without a container daemon.
package deploy
