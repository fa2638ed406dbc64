/// Whether a write to a file has failed.
///
/// libhdf5 1.10 crashes when it closes what it could not write, a full disk being the common cause. After a failure
/// no identifier of the file is given back: a little memory is lost, and nothing is touched again.
final class HDF5WriteState {
    var hasFailed = false
}
