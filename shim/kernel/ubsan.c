// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the compiler calls when a check it put in fails (-fsanitize=..., minimal runtime). Compiled without kernel
 * headers: nothing here may itself be checked.
 */
#include <drvport_abi.h>

#define CHECK(name, kind, text)								\
	void __ubsan_handle_##name##_minimal(void);					\
	void __ubsan_handle_##name##_minimal(void)					\
	{										\
		drvport_log_fault(kind, (unsigned int)(text), sizeof(text) - 1);	\
	}										\
	void __ubsan_handle_##name##_minimal_abort(void);				\
	void __ubsan_handle_##name##_minimal_abort(void)				\
	{										\
		drvport_log_fault(kind, (unsigned int)(text), sizeof(text) - 1);	\
	}

CHECK(type_mismatch, DRVPORT_FAULT_NULL_DEREFERENCE, "access through a null pointer")
CHECK(pointer_overflow, DRVPORT_FAULT_UNDEFINED, "pointer arithmetic overflowed")
CHECK(builtin_unreachable, DRVPORT_FAULT_UNDEFINED, "unreachable code was reached")
CHECK(divrem_overflow, DRVPORT_FAULT_UNDEFINED, "division by zero or overflow")
CHECK(out_of_bounds, DRVPORT_FAULT_UNDEFINED, "array index out of bounds")
CHECK(shift_out_of_bounds, DRVPORT_FAULT_UNDEFINED, "shift out of bounds")
