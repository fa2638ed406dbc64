internal import RRTensor
struct PNGMaskFolder: MaskSource {
    let maskShape: ImageShape
    let samples: [Int] = []
    let tally = MaskTally()
    init(folder: String, names: SampleNames, dataset: Dataset, options: MaskImport.Options) throws {
        maskShape = dataset.imageShape
    }
    func readMask(at position: Int, into mask: UnsafeMutableBufferPointer<UInt8>) throws {}
}
