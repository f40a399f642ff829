package main

import (
	_ "time/tzdata" // time zones on machines without a zone database

	_ "golang.org/x/crypto/x509roots/fallback" // CA certificates on machines without any, such as an empty container
)
