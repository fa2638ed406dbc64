import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Importing masks of arrays for a dataset")
struct ArrayMaskSetImportTests {
    let subject: MaskImportCase

    init() throws { subject = try MaskImportCase(channels: 3, height: 2, width: 3) }

    /// A mask for each of the seven samples: the bits of numbers from 0 on.
    static func mask(_ number: Int) -> [UInt8] { (0..<6).map { UInt8(number >> $0 & 1) } }
    static let zeros = [UInt8](repeating: 0, count: 6)

    func masks(_ numbers: [Int]) -> [UInt8] { numbers.flatMap(Self.mask) }

    @Test("a mask for each sample, in the dataset's order")
    func order() throws {
        try subject.folder.makeSource(SourceArray("/m", [7, 1, 2, 3], masks([1, 0, 5, 6, 63, 2, 9])))
        let summary = try subject.run("in.h5")
        #expect(try subject.masks() == [1, 0, 5, 6, 63, 2, 9].map(Self.mask))
        #expect(summary.source == .arrays && summary.suppliedCount == 7 && summary.emptyCount == 1)
        #expect(try subject.samplesWithRow() == [0, 2, 3, 4, 5, 6])
        let kept = try subject.run("in.h5") { ($0.empty, $0.force) = (.annotated, true) }
        #expect(kept.annotatedCount == 7 && kept.emptyCount == 1)
        try subject.run("in.h5") { ($0.marks, $0.force) = (.right, true) }
        #expect(
            try subject.masks()
                == [1, 0, 5, 6, 63, 2, 9].map { $0 == 0 ? Self.zeros : Self.mask(63 - $0) })
    }

    @Test("masks of every channel with the channel last, named among others")
    func layout() throws {
        let channels = [11, 22, 44].map(Self.mask)
        let pixels = (0..<6).flatMap { pixel in channels.map { $0[pixel] * 255 } }
        let zeros = [UInt8](repeating: 0, count: 6 * 18)
        try subject.folder.makeSource(
            SourceArray("/m", [7, 2, 3, 3], pixels + zeros), SourceArray("/x", [2], [UInt8](0..<2)))
        let error = #expect(throws: FormatError.self) { try subject.run("in.h5") }
        #expect(error?.message.contains("m, x") == true)
        try subject.run("in.h5") { ($0.masks, $0.masksLayout) = ("/m", .nhwc) }
        #expect(try subject.masks()[0] == channels.flatMap { $0 })
    }

    @Test("masks for some samples: by row, by id, and by flag with and without the others' rows")
    func some() throws {
        try subject.folder.makeSource(
            SourceArray("/m", [2, 2, 3], masks([7, 12])), SourceArray("/rows", [2], [5, 2] as [Int32]),
            SourceArray("/flags", [7], [0, 1, 0, 0, 0, 0, 1] as [UInt8]),
            SourceArray("/all", [7, 2, 3], masks([1, 7, 2, 3, 4, 5, 12])))
        let cases: [(masks: String, change: (inout MaskImport.Options) -> Void, samples: [Int: Int])] = [
            ("/m", { $0.rows = "/rows" }, [5: 7, 2: 12]), ("/m", { $0.flags = "/flags" }, [1: 7, 6: 12]),
            ("/all", { $0.flags = "/flags" }, [1: 7, 6: 12]),
        ]
        for (masks, change, samples) in cases {
            let summary = try subject.run("in.h5") {
                ($0.masks, $0.force) = (masks, true)
                change(&$0)
            }
            #expect(try subject.masks() == (0..<7).map { Self.mask(samples[$0] ?? 0) })
            #expect(try subject.samplesWithRow() == samples.keys.sorted())
            #expect(summary.suppliedCount == 2 && summary.samplesWithoutMask == 5)
        }
        let error = try subject.error("in.h5") { ($0.masks, $0.force) = ("/m", true) }
        #expect(error?.code == .wrongShape)
        #expect(
            error?.message.contains("2 masks for 7") == true && error?.message.contains("`flags`") == true)
    }

    @Test("masks by the samples' ids, which are texts")
    func ids() throws {
        let file = try HDF5File(creating: subject.folder.path("in.h5"))
        try SourceArray("/m", [2, 2, 3], masks([7, 12])).write(to: file)
        for (name, ids) in [("/ids", ["sample/4", "sample/0"]), ("/odd", ["sample/4", "sample/9"])] {
            try file.createDataset(name, type: .fixedString(length: 8), shape: TensorShape([2]))
                .writeStrings { ids[$0] }
        }
        try file.close()
        try subject.run("in.h5") { ($0.masks, $0.ids) = ("/m", "/ids") }
        #expect(try subject.masks() == (0..<7).map { Self.mask([4: 7, 0: 12][$0] ?? 0) })
        let error = try subject.error("in.h5") { ($0.masks, $0.ids, $0.force) = ("/m", "/odd", true) }
        #expect(error?.message.contains("sample/9") == true)
    }

    @Test("classes and soft masks count as options say")
    func values() throws {
        let soft: [Float] = (0..<42).map { Float($0) / 42 }
        try subject.folder.makeSource(
            SourceArray("/m", [7, 2, 3], (0..<42).map { UInt8($0 % 5) }),
            SourceArray("/soft", [7, 2, 3], soft))
        #expect(try subject.error("in.h5") { $0.masks = "/m" }?.code == .nonBinaryMask)
        try subject.run("in.h5") { ($0.masks, $0.maskValues) = ("/m", [2, 4]) }
        #expect(try subject.masks().flatMap { $0 } == (0..<42).map { [2, 4].contains($0 % 5) ? 1 : 0 })
        try subject.run("in.h5") { ($0.masks, $0.maskThreshold, $0.force) = ("/soft", 0.5, true) }
        #expect(try subject.masks().flatMap { $0 } == soft.map { $0 >= 0.5 ? 1 : 0 })
    }

    @Test("an array of another size is refused; options of arrays are for arrays only")
    func refused() throws {
        try subject.folder.makeSource(SourceArray("/m", [7, 3, 3], [UInt8](repeating: 1, count: 63)))
        #expect(try subject.error("in.h5")?.code == .wrongMaskSize)
        #expect(
            try subject.error("in.h5") { ($0.rows, $0.ids) = ("/r", "/i") }?.message.contains("only one")
                == true)
        try subject.folder.write(Array("{}".utf8), to: "a.json")
        for change: (inout MaskImport.Options) -> Void in [
            { $0.masks = "/m" }, { $0.masksLayout = .nhw }, { $0.rows = "/m" }, { $0.ids = "/m" },
            { $0.flags = "/m" },
        ] {
            #expect(try subject.error("a.json", change)?.code == .invalidOption)
        }
    }
}
