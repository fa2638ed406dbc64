/// What could be learnt of a dataset, sound or not, to judge masks by.
struct DatasetFacts {
    let path: String
    var sampleCount: Int?
    /// `(C, H, W)`
    var imageShape: [Int]?
    var fingerprint: String?
    var ids: [String]?

    /// `sample 3 (“train/coat/17”)`
    func name(of index: Int) -> String {
        guard let ids, ids.indices.contains(index) else { return "sample \(index)" }
        return "sample \(index) (“\(ids[index])”)"
    }
}
