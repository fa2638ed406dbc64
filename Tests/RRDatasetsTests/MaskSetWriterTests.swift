import RRDatasets
import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("Mask sets of the user's own masks")
struct MaskSetWriterTests {
    let folder: TemporaryFolder
    let dataset: Dataset

    init() throws {
        folder = try TemporaryFolder()
        dataset = try Dataset(path: SampleDataset(folder).write())
    }

    private func mask(_ ones: [Int]) throws -> Tensor<UInt8> {
        let image = dataset.imageShape
        var elements = Array(repeating: UInt8(0), count: image.height * image.width)
        for element in ones { elements[element] = 1 }
        return try Tensor(shape: TensorShape([image.height, image.width]), elements: elements)
    }

    @Test("masks come in any order; one of zeros leaves its sample unannotated")
    func anyOrder() throws {
        let path = folder.path("own.h5")
        let writer = try MaskSetWriter(path: path, for: dataset)
        for (index, ones) in [(4, [1, 2]), (0, [3]), (2, [])] {
            try writer.write(try mask(ones), forSample: index)
        }
        #expect(FileTree.kind(of: path) == nil)
        let masks = try writer.finish(provenance: ["by": "hand"])
        #expect(masks.path == path && masks.annotatedCount == 2 && masks.oneCount == 3)
        #expect((0..<dataset.sampleCount).filter(masks.isAnnotated) == [0, 4])
        #expect(masks.mask(ofSample: 2) == nil)
        #expect(try masks.mask(ofSample: 4)?.elements == (mask([1, 2]).elements))
        #expect(masks.mask(ofSample: 4)?.shape.dimensions == masks.maskShape.dimensions)
        let size = Double(masks.maskShape.elementCount)
        #expect(masks.coverage(ofSample: 4) == 2 / size && masks.coverage(ofSample: 2) == 0)
        #expect(masks.meanCoverage == 1.5 / size)
        #expect(throws: FormatError.self) { try writer.finish() }
    }

    @Test("what is no mask of the dataset is refused, and an unfinished file leaves nothing behind")
    func refused() throws {
        let names = try folder.names()
        do {
            let writer = try MaskSetWriter(path: folder.path("own.h5"), for: dataset)
            try writer.write(try mask([1]), forSample: 1)
            for (tensor, index, code) in try [
                (mask([1]), 1, DatasetError.Code.duplicateMask),
                (mask([1]), dataset.sampleCount, .indexOutOfRange),
                (Tensor(shape: mask([]).shape, repeating: 2), 0, .nonBinaryMask),
                (Tensor(shape: TensorShape([1, 1, 1]), repeating: 1), 0, .wrongMaskSize),
            ] {
                let error = #expect(throws: DatasetError.self) { try writer.write(tensor, forSample: index) }
                #expect(error?.code == code)
            }
        }
        #expect(try folder.names() == names)
    }
}
