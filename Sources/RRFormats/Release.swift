/// The release that all modules of a program are of.
package enum Release {
    /// What files name as their `creator`, and by which a program knows the process that reads HDF5 files for it.
    package static let name = "rrdata 0.1.0"
}
