using System.Diagnostics;

namespace Tunnel.EndToEnd.Harness;

/// <summary>What a program that ran to its end has said.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public string Expect()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}");
        return Output;
    }
}

/// <summary>Runs programs to their end.</summary>
internal static class Tool
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    public static Task<ToolResult> RunAsync(string program, params string[] arguments) => RunInAsync(null, program, arguments);

    public static Task<ToolResult> RunInAsync(string? networkNamespace, string program, params string[] arguments) =>
        RunInAsync(networkNamespace, program, arguments, stream => new StreamReader(stream).ReadToEndAsync());

    /// <param name="networkNamespace">Where it runs; null is where the tests do.</param>
    /// <param name="program">The executable.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="read">Makes of its output what the result holds.</param>
    public static async Task<ToolResult> RunInAsync(
        string? networkNamespace, string program, string[] arguments, Func<Stream, Task<string>> read)
    {
        string[] command = networkNamespace is null
            ? [program, .. arguments]
            : ["ip", "netns", "exec", networkNamespace, program, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = read(process.StandardOutput.BaseStream);
        Task<string> error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end within {Limit.TotalSeconds} s");
        }

        return new ToolResult(process.ExitCode, await output, await error);
    }
}
