import RRFormats
import RRNetworks

/// What `rrdata --version` says: the release, and what its results come from beside it.
enum VersionReport {
    static var text: String {
        let libraries = Release.libraries.map { "\($0.name) \($0.version)" } + [LinearAlgebra.libraryName]
        return """
            \(Release.name)
            libraries: \(libraries.joined(separator: ", "))
            kernels on this processor: \(LinearAlgebra.kernelName)
            """
    }
}
