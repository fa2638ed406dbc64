import CConvolution
import Foundation
import RRNetworks
import Testing

@Suite("The kernels of matrix products")
struct MatrixKernelTests {
    private static let choosesItself = ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil

    @Test(
        "use the vectors that the processor has, whether OpenBLAS knows it or not",
        .enabled(if: choosesItself))
    func kernels() {
        guard rr_convolution_best_version().rawValue >= RR_CONVOLUTION_AVX2.rawValue else { return }
        let old = ["Prescott", "Core2", "Penryn", "Nehalem", "Sandybridge", "Barcelona", "Atom", "Generic"]
        let name = LinearAlgebra.kernelName.split(separator: " ").first.map(String.init) ?? ""
        #expect(!old.contains { $0.caseInsensitiveCompare(name) == .orderedSame }, "\(name)")
    }
}
