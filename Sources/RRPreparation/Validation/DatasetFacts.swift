/// What could be learnt of a dataset, sound or not, to judge masks by.
package struct DatasetFacts: Sendable {
    package let path: String
    var sampleCount: Int?
    /// `(C, H, W)`
    var imageShape: [Int]?
    package var fingerprint: String?
    var ids: [String]?
    /// Nil also where there are none; then `hasLabels` is false.
    var labels: [Int]?
    var hasLabels = false
    var classNames: [String]?
    var checksums: [UInt32]?

    init(path: String) {
        self.path = path
    }

    /// `sample 3 (“train/coat/17”)`
    func name(of index: Int) -> String {
        guard let ids, ids.indices.contains(index) else { return "sample \(index)" }
        return "sample \(index) (“\(ids[index])”)"
    }
}
