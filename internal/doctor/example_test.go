package doctor_test

import (
	"fmt"
	"os"

	"errand/internal/config"
	"errand/internal/doctor"
)

func ExampleWrite() {
	findings := doctor.ConfigFindings(config.Errors{
		{Variable: "RUN_SWEEP", Problem: "is not shorter than RUN_LEASE", Allowed: "a duration below RUN_LEASE"},
	})
	findings = append(findings, doctor.Finding{
		Check:  "database",
		State:  doctor.OK,
		Detail: "postgres://errand@db/tasks responded in 3ms",
	})
	_ = doctor.Write(os.Stdout, findings)
	fmt.Println("failed:", doctor.HasFailed(findings))
	// Output:
	// CHECK              STATE   DETAIL
	// setting RUN_SWEEP  FAILED  is not shorter than RUN_LEASE
	//                            → allowed: a duration below RUN_LEASE
	// database           ok      postgres://errand@db/tasks responded in 3ms
	// failed: true
}
