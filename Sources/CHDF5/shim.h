#pragma once
#include <hdf5.h>
#include <stdint.h>
#include <string.h>

// Swift imports functions and simple constants. What stands here are the macros of HDF5 that it
// cannot import, and the one function whose callback must not run Swift code.

// `H5T_*` and `H5P_*` names are comma expressions: each opens the library, then reads a global.
static inline hid_t rr_h5t_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t rr_h5t_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t rr_h5t_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t rr_h5t_native_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t rr_h5t_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t rr_h5t_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t rr_h5t_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t rr_h5t_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t rr_h5t_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t rr_h5t_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t rr_h5t_std_u8le(void) { return H5T_STD_U8LE; }
static inline hid_t rr_h5t_std_i8le(void) { return H5T_STD_I8LE; }
static inline hid_t rr_h5t_std_u16le(void) { return H5T_STD_U16LE; }
static inline hid_t rr_h5t_std_i16le(void) { return H5T_STD_I16LE; }
static inline hid_t rr_h5t_std_u32le(void) { return H5T_STD_U32LE; }
static inline hid_t rr_h5t_std_i32le(void) { return H5T_STD_I32LE; }
static inline hid_t rr_h5t_std_u64le(void) { return H5T_STD_U64LE; }
static inline hid_t rr_h5t_std_i64le(void) { return H5T_STD_I64LE; }
static inline hid_t rr_h5t_ieee_f32le(void) { return H5T_IEEE_F32LE; }
static inline hid_t rr_h5t_ieee_f64le(void) { return H5T_IEEE_F64LE; }
static inline hid_t rr_h5t_c_s1(void) { return H5T_C_S1; }
static inline hid_t rr_h5p_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t rr_h5p_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t rr_h5p_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t rr_h5p_dataset_access(void) { return H5P_DATASET_ACCESS; }
static inline hid_t rr_h5p_dataset_xfer(void) { return H5P_DATASET_XFER; }
static inline hid_t rr_h5p_link_access(void) { return H5P_LINK_ACCESS; }

// `H5F_ACC_*` call H5check() inside the expression.
static inline unsigned rr_h5f_acc_rdonly(void) { return H5F_ACC_RDONLY; }
static inline unsigned rr_h5f_acc_excl(void) { return H5F_ACC_EXCL; }

// Casts around literals, whose types Swift guesses differently from release to release.
static inline hid_t rr_h5p_default(void) { return H5P_DEFAULT; }
static inline hid_t rr_h5e_default(void) { return H5E_DEFAULT; }
static inline hid_t rr_h5s_all(void) { return H5S_ALL; }
static inline size_t rr_h5t_variable(void) { return H5T_VARIABLE; }
static inline haddr_t rr_haddr_undefined(void) { return HADDR_UNDEF; }

// Keeps the innermost message of an error stack. The records live only while the stack is walked, and
// a Swift callback could not say that it keeps none of their pointers.
typedef struct {
    char message[512];
} rr_h5_reason;

static inline herr_t rr_h5_keep_first_message(unsigned position, const H5E_error2_t *record, void *context) {
    rr_h5_reason *reason = (rr_h5_reason *)context;
    if (reason->message[0] == 0 && record->desc != NULL) {
        strncpy(reason->message, record->desc, sizeof reason->message - 1);
    }
    return 0;
}

static inline void rr_h5_read_reason(rr_h5_reason *reason) {
    memset(reason, 0, sizeof *reason);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, rr_h5_keep_first_message, reason);
}

// Refuses to follow an external link and remembers the file that it names. `context` is an rr_h5_reason.
static inline herr_t rr_h5_refuse_external_link(
    const char *parent_file, const char *parent_group, const char *child_file, const char *child_object,
    unsigned *access_flags, hid_t access_list, void *context) {
    rr_h5_reason *reason = (rr_h5_reason *)context;
    if (child_file != NULL) {
        strncpy(reason->message, child_file, sizeof reason->message - 1);
    }
    return -1;
}

static inline herr_t rr_h5_set_refusal_of_external_links(hid_t link_access, rr_h5_reason *reason) {
    return H5Pset_elink_cb(link_access, rr_h5_refuse_external_link, reason);
}

// Ends a conversion at a value that the wanted type cannot hold; libhdf5 would clamp it in silence.
// Lost precision, infinities and NaN keep libhdf5's own treatment.
static inline H5T_conv_ret_t rr_h5_refuse_lossy_value(
    H5T_conv_except_t what, hid_t source, hid_t destination, void *source_value, void *destination_value,
    void *context) {
    switch (what) {
    case H5T_CONV_EXCEPT_RANGE_HI:
    case H5T_CONV_EXCEPT_RANGE_LOW:
    case H5T_CONV_EXCEPT_TRUNCATE:
        *(int *)context = 1;
        return H5T_CONV_ABORT;
    default:
        return H5T_CONV_UNHANDLED;
    }
}

static inline herr_t rr_h5_set_refusal_of_lossy_values(hid_t transfer, int *refused) {
    return H5Pset_type_conv_cb(transfer, rr_h5_refuse_lossy_value, refused);
}

// Whether a type is a sequence of variable length of bytes, as encoded files are kept.
static inline int rr_h5t_is_bytes_of_variable_length(hid_t type) {
    if (H5Tget_class(type) != H5T_VLEN) { return 0; }
    hid_t base = H5Tget_super(type);
    if (base < 0) { return 0; }
    int is = H5Tget_class(base) == H5T_INTEGER && H5Tget_size(base) == 1;
    H5Tclose(base);
    return is;
}

// Where an object's header is in the file. HDF5 1.12 put tokens in the place of addresses, and macros in that of names.
static inline herr_t rr_h5_object_address(hid_t object, uint64_t *address) {
#if H5_VERSION_GE(1, 12, 0)
    H5O_info2_t info;
    herr_t status = H5Oget_info3(object, &info, H5O_INFO_BASIC);
    memcpy(address, &info.token, sizeof *address);
#else
    H5O_info_t info;
    herr_t status = H5Oget_info2(object, &info, H5O_INFO_BASIC);
    *address = info.addr;
#endif
    return status;
}
