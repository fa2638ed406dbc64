// swift-tools-version: 6.3
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A system library of Debian; `libhdf5-dev` brings libcrypto with it.
func systemLibrary(_ name: String, pkgConfig: String, package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

func module(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(of name: String, _ dependencies: Target.Dependency...) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "rrdata",
    products: [
        .library(
            name: "RRData", targets: ["RRTensor", "RRFormats", "RRDatasets", "RRPreparation", "RRStreaming"]),
        .library(name: "RRTraining", targets: ["RRNetworks", "RRExplanation", "RRTraining", "RRReports"]),
        .executable(name: "rrdata", targets: ["rrdata"]),
        .executable(name: "rrdata-hdf5-reader", targets: ["rrdata-hdf5-reader"]),
        // For other languages. `make library` links it as librrdata.so: the name is that of the executable here.
        .library(name: "RRInterface", type: .dynamic, targets: ["RRInterface"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        // Without what needs all of Foundation.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    ],
    targets: [
        systemLibrary("CLibPNG", pkgConfig: "libpng", package: "libpng-dev"),
        systemLibrary("CLibJPEG", pkgConfig: "libjpeg", package: "libjpeg62-turbo-dev"),
        systemLibrary("CHDF5", pkgConfig: "hdf5", package: "libhdf5-dev"),
        systemLibrary("CLibDeflate", pkgConfig: "libdeflate", package: "libdeflate-dev"),
        systemLibrary("CLibCrypto", pkgConfig: "libcrypto", package: "libssl-dev"),
        systemLibrary("CExpat", pkgConfig: "expat", package: "libexpat1-dev"),
        systemLibrary("COpenBLAS", pkgConfig: "openblas", package: "libopenblas-dev"),
        systemLibrary("CLZF", pkgConfig: "liblzf", package: "liblzf-dev"),
        systemLibrary("CBlosc", pkgConfig: "blosc", package: "libblosc-dev"),
        systemLibrary("CZstd", pkgConfig: "libzstd", package: "libzstd-dev"),
        .systemLibrary(name: "CFileSystem"),
        .systemLibrary(name: "CThreads"),
        .target(name: "CPNGShim", dependencies: ["CLibPNG"]),
        .target(name: "CJPEGShim", dependencies: ["CLibJPEG", "CPixelPlanes"]),
        .target(name: "CHDF5Filters", dependencies: ["CHDF5", "CLZF", "CBlosc", "CZstd"]),
        .target(name: "CHDF5Reader", dependencies: ["CHDF5"]),
        .target(name: "CConvolution"),
        .target(name: "CPixelPlanes"),
        .target(name: "CStoredElements"),

        .target(
            name: "RRSchemas",
            path: "schemas",
            resources: [
                .embedInCode("dataset.schema.json"),
                .embedInCode("masks.schema.json"),
                .embedInCode("model.schema.json"),
                .embedInCode("metrics.schema.json"),
                .embedInCode("evaluation.schema.json"),
                .embedInCode("comparison.schema.json"),
            ],
            swiftSettings: swiftSettings),
        module("RRTensor", "CStoredElements", "CThreads"),
        module(
            "RRFormats", "RRTensor", "RRSchemas", "CFileSystem", "CPNGShim", "CJPEGShim", "CPixelPlanes",
            "CHDF5",
            "CHDF5Filters", "CHDF5Reader", "CLibDeflate", "CLibCrypto", "CExpat"),
        module("RRDatasets", "RRTensor", "RRFormats", "RRSchemas", "CStoredElements", "CPixelPlanes"),
        module("RRPreparation", "RRTensor", "RRFormats", "RRSchemas", "RRDatasets"),
        module("RRStreaming", "RRTensor", "RRFormats", "RRSchemas", "RRDatasets", "CPixelPlanes"),
        module("RRNetworks", "RRTensor", "COpenBLAS", "CConvolution"),
        .target(
            name: "RRExchange",
            dependencies: [
                "RRTensor", "RRFormats", "RRNetworks",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: [
                "ONNX/Messages/onnx.proto", "ONNX/Messages/onnx.sha256",
                "TensorBoard/Messages/event.proto", "TensorBoard/Messages/event.sha256",
            ],
            swiftSettings: swiftSettings),
        module("RRExplanation", "RRTensor", "RRNetworks"),
        module(
            "RRTraining",
            "RRTensor", "RRFormats", "RRSchemas", "RRDatasets", "RRPreparation", "RRStreaming", "RRNetworks",
            "RRExplanation"),
        .target(name: "CUnifont", exclude: ["OFL.txt", "generate.py", "glyphs.bin"]),
        .target(
            name: "RRReports",
            dependencies: [
                "RRTensor", "RRFormats", "RRSchemas", "RRDatasets", "RRExplanation", "RRTraining", "CUnifont",
            ],
            resources: [.embedInCode("Report/page.css")],
            swiftSettings: swiftSettings),
        .systemLibrary(name: "CRRData"),
        module(
            "RRInterface",
            "RRTensor", "RRFormats", "RRSchemas", "RRDatasets", "RRPreparation", "RRStreaming", "CRRData",
            "CFileSystem"),
        .executableTarget(
            name: "rrdata-hdf5-reader", dependencies: ["RRFormats"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "rrdata",
            dependencies: [
                "RRTensor", "RRFormats", "RRSchemas", "RRDatasets", "RRPreparation", "RRStreaming",
                "RRNetworks", "RRExchange",
                "RRExplanation", "RRTraining", "RRReports",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),

        .target(
            name: "TestSupport",
            dependencies: ["RRPreparation", "RRDatasets", "RRFormats", "RRSchemas", "RRTensor"],
            path: "Tests/TestSupport", swiftSettings: swiftSettings),
        tests(of: "RRTensor", "CThreads"),
        tests(of: "RRFormats", "RRTensor", "RRSchemas"),
        tests(of: "RRSchemas"),
        tests(of: "RRDatasets", "RRFormats", "RRTensor", "RRSchemas", "CPixelPlanes"),
        tests(of: "RRPreparation", "RRDatasets", "RRFormats", "RRTensor", "RRSchemas"),
        tests(of: "RRStreaming", "RRDatasets", "RRFormats", "RRSchemas", "RRTensor"),
        tests(of: "RRNetworks", "RRTensor", "CConvolution"),
        tests(of: "RRExchange", "RRExplanation", "RRNetworks", "RRFormats", "RRTensor"),
        tests(of: "RRExplanation", "RRNetworks", "RRTensor"),
        tests(
            of: "RRTraining",
            "RRExplanation", "RRNetworks", "RRStreaming", "RRPreparation", "RRDatasets", "RRFormats",
            "RRSchemas",
            "RRTensor"),
        tests(
            of: "rrdata",
            "RRTraining", "RRExplanation", "RRNetworks", "RRStreaming", "RRPreparation", "RRDatasets",
            "RRFormats",
            "RRSchemas", "RRTensor"),
        tests(
            of: "RRReports", "RRTraining", "RRNetworks", "RRDatasets", "RRFormats", "RRSchemas", "RRTensor"),
        // The tests of the C interface are programs in C, which find its library beside the tests.
        .testTarget(
            name: "RRInterfaceTests",
            dependencies: [
                "TestSupport", "RRStreaming", "RRDatasets", "RRFormats", "RRTensor", "rrdata",
            ],
            exclude: ["Programs"], swiftSettings: swiftSettings),
        // Replays what fuzzing found; Tests/Fuzzing is a package of its own for the fuzzing itself.
        .testTarget(
            name: "FuzzingTests",
            dependencies: [
                "TestSupport", "RRTraining", "RRStreaming", "RRPreparation", "RRDatasets", "RRFormats",
                "RRSchemas",
                "RRTensor",
            ],
            path: "Tests/Fuzzing",
            exclude: [
                "Driver", "Regressions", "dictionaries", "Package.swift", "flip_bytes.py", "fuzz",
                "fuzz_commands.py",
                "hdf5_mutations.py", "make_corpora.py", "mutations.py",
            ],
            sources: ["Readers", "Replay"], swiftSettings: swiftSettings),
    ]
)

// A build for some tests alone, as under a sanitizer, leaves out what they do not need.
if let names = Context.environment["RRDATA_TESTS"]?.split(separator: ",").map(String.init) {
    var needed: Set<String> = []
    var open = names
    while let name = open.popLast() {
        guard needed.insert(name).inserted, let target = package.targets.first(where: { $0.name == name })
        else {
            continue
        }
        for case .byNameItem(let name, _) in target.dependencies { open.append(name) }
    }
    package.targets.removeAll { !needed.contains($0.name) }
    package.products = []
    if !needed.contains("RRExchange") { package.dependencies = [] }
}

// Tests of what computes take a quarter of the time where that is optimised. Packages that others use may not ask for it.
if Context.environment["RRDATA_OPTIMIZED_TESTS"] == "1" {
    for target in package.targets {
        switch target.name {
        case "CConvolution": target.cSettings = [.unsafeFlags(["-O2"], .when(configuration: .debug))]
        case "RRNetworks", "RRExplanation", "RRNetworksTests", "RRExplanationTests":
            target.swiftSettings?.append(.unsafeFlags(["-O"], .when(configuration: .debug)))
        default: break
        }
    }
}
