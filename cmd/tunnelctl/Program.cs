using System.CommandLine;
using System.CommandLine.Invocation;
using Tunnel.App.Hosting;
using Tunnel.Ctl;
using Tunnel.Ctl.Demo;
using Tunnel.Ctl.Verbs;

var root = new RootCommand("tunnelctl: tools around the tunnel; each verb's own --help has its options, examples and exit codes")
{
    DemoVerb.Create(),
    InitVerb.Create(),
    KeygenVerb.Create(),
    CheckVerb.Create(),
    PingVerb.Create(),
    DumpVerb.Create(),
    BenchVerb.Create(),
    TuneLoopVerb.Create(),
    EmulateVerb.Create(),
    TopVerb.Create(),
    ProfileVerb.Create(),
    VersionVerb.Create(),
};
ParseResult parsed = root.Parse(args);
Overview.Shorten(parsed.CommandResult.Command);
Overview.Unwrap(parsed.CommandResult.Command);
Overview.Narrow(root);
if (parsed.Action is ParseErrorAction wrong && args.Length != 0)
    return WrongCommandLine.Say(parsed, wrong, Console.Error);

// Not the library's own handling of signals: a second one makes it throw where nobody catches.
using var signal = new FirstSignal();
var invocation = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
try
{
    int result = await parsed.InvokeAsync(invocation, signal.Stop);
    return parsed.Errors.Count != 0 ? ExitCode.Usage : result;
}
catch (OperationCanceledException)
{
    return ExitCode.Failure;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException)
{
    // Such as a standard output that is full: the user's to mend, and no defect that a stack would help with.
    Console.Error.WriteLine(e.Message);
    return ExitCode.Failure;
}
catch (Exception e)
{
    // Caught all the same: the runtime would abort without undoing what the verb has set up.
    Console.Error.WriteLine($"a defect of tunnelctl: {e}");
    return ExitCode.Failure;
}
