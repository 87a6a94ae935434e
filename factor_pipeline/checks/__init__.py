"""Asset checks: Great Expectations suites drawn from the schemas, and checks of whole numbers."""
