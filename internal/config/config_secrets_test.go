package config

import (
	"reflect"
	"testing"

	"errand/internal/secret"

	"github.com/stretchr/testify/require"
)

// TestSecrets_EverySecretField_Included fails when a field of type secret.String or DatabaseURL is missing in Secrets.
func TestSecrets_EverySecretField_Included(t *testing.T) {
	var c Config
	var planted []string
	var plant func(v reflect.Value)
	plant = func(v reflect.Value) {
		for i := range v.NumField() {
			text := "planted-" + v.Type().Field(i).Name
			switch field := v.Field(i).Addr().Interface().(type) {
			case *secret.String:
				*field = secret.New(text)
				planted = append(planted, text)
			case *DatabaseURL:
				require.NoError(t, field.UnmarshalText([]byte("postgres://u:"+text+"@h/db?sslpassword="+text+"-tls")))
				planted = append(planted, text, text+"-tls")
			default:
				if v.Field(i).Kind() == reflect.Struct {
					plant(v.Field(i))
				}
			}
		}
	}
	plant(reflect.ValueOf(&c).Elem())
	require.GreaterOrEqual(t, len(planted), 10)
	for _, secret := range planted {
		require.Contains(t, c.Secrets(), secret)
	}
}
